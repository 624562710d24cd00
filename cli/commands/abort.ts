import type { Command } from "commander";
import { withStoreOptions, type StoreFlags } from "../options.ts";
import { parseReference } from "../package-folder.ts";
import { releaseNote } from "../releases.ts";
import { abortTrial, describeTrials } from "../rollouts.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  by?: string;
  why?: string;
}

/** `nearcast abort <model[@version]>`. */
export function abortCommand(program: Command): void {
  withStoreOptions(program.command("abort <model>"))
    .description("end the trial of a version, or of all: the stable version answers everybody")
    .option("--by <who>", "who aborts (default: the CI account or the user)")
    .option("--why <text>", "why, for the history")
    .action(async (reference: string, flags: Flags) => {
      const { name, version } = parseReference(reference);
      await withStore(flags.store, flags, async (store) => {
        const release = await abortTrial(store, name, version, releaseNote(flags));
        const trials =
          describeTrials(name, release) || ` ${name}@${release.stable} answers everybody.`;
        console.log(`The trial has ended in ${flags.store}.${trials}`);
      });
    });
}
