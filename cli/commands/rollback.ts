import type { Command } from "commander";
import { isRelease } from "../../functions/model/change-release.ts";
import { withStoreOptions, type StoreFlags } from "../options.ts";
import { checkName } from "../package-folder.ts";
import { releaseNote, rollbackRelease } from "../releases.ts";
import { describeTrials } from "../rollouts.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  by?: string;
  why?: string;
}

/** `nearcast rollback <model>`. */
export function rollbackCommand(program: Command): void {
  withStoreOptions(program.command("rollback <model>"))
    .description("let the version answer again that was released before the present one")
    .option("--by <who>", "who rolls back (default: the CI account or the user)")
    .option("--why <text>", "why, for the history")
    .action(async (model: string, flags: Flags) => {
      checkName("model", model);
      await withStore(flags.store, flags, async (store) => {
        const release = await rollbackRelease(store, model, releaseNote(flags));
        const [, earlier] = release.history.filter(isRelease);
        console.log(
          `${model}@${release.stable} answers in ${flags.store} again, instead of ${earlier?.version}.${describeTrials(model, release)}`,
        );
      });
    });
}
