import type { Command } from "commander";
import { withStoreOptions, type StoreFlags } from "../options.ts";
import { parseReference } from "../package-folder.ts";
import { releaseNote } from "../releases.ts";
import { describeTrials, promoteCandidate } from "../rollouts.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  by?: string;
  why?: string;
}

/** `nearcast promote <model[@version]>`. */
export function promoteCommand(program: Command): void {
  withStoreOptions(program.command("promote <model>"))
    .description("make a version on trial the stable one, which answers everybody")
    .option("--by <who>", "who promotes (default: the CI account or the user)")
    .option("--why <text>", "why, for the history")
    .action(async (reference: string, flags: Flags) => {
      const { name, version } = parseReference(reference);
      await withStore(flags.store, flags, async (store) => {
        const release = await promoteCandidate(store, name, version, releaseNote(flags));
        const trials = describeTrials(name, release);
        console.log(`${name}@${release.stable} answers everybody in ${flags.store}.${trials}`);
      });
    });
}
