import type { Command } from "commander";
import { isRelease } from "../../functions/model/change-release.ts";
import { withStoreOptions, type StoreFlags } from "../options.ts";
import { parseReference } from "../package-folder.ts";
import { releaseNote, releaseVersion } from "../releases.ts";
import { describeTrials } from "../rollouts.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  by?: string;
  why?: string;
  fallback?: string;
}

/** `nearcast release <model>@<version>`. */
export function releaseCommand(program: Command): void {
  withStoreOptions(program.command("release <version>"))
    .description(
      "let a version answer, given as <model>@<version>; running functions take it up within RELEASE_TTL_SECONDS",
    )
    .option("--by <who>", "who releases (default: the CI account or the user)")
    .option("--why <text>", "why, for the history")
    .option(
      "--fallback <version>",
      "the smaller version that answers at an edge while the region does not (docs/spillover.md)",
    )
    .action(async (reference: string, flags: Flags) => {
      const { name, version } = parseReference(reference);
      if (version === undefined)
        throw new Error(`Say which version to release: nearcast release ${name}@<version>`);
      await withStore(flags.store, flags, async (store) => {
        const release = await releaseVersion(store, name, version, {
          ...releaseNote(flags),
          fallback: flags.fallback,
        });
        const [, earlier] = release.history.filter(isRelease);
        const before = earlier ? ` It was ${earlier.version}.` : "";
        const trials = describeTrials(name, release);
        console.log(`${name}@${version} answers in ${flags.store}.${before}${trials}`);
      });
    });
}
