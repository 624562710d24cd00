import type { Command } from "commander";
import { readRelease } from "../../functions/model/release.ts";
import { jsonOption, withStoreOptions, type StoreFlags } from "../options.ts";
import { checkName } from "../package-folder.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  json?: true;
}

/** `nearcast history <model>`. */
export function historyCommand(program: Command): void {
  withStoreOptions(program.command("history <model>"))
    .description("what was released and tried, when, by whom and why, newest first")
    .addOption(jsonOption())
    .action(async (model: string, flags: Flags) => {
      checkName("model", model);
      await withStore(flags.store, flags, async (store) => {
        const found = await readRelease(store, model);
        if (!found) throw new Error(`${model} was never released in ${flags.store}.`);
        const { stable, history } = found.release;
        if (flags.json) return console.log(JSON.stringify({ model, stable, history }));
        console.log(`${model}@${stable} answers.`);
        for (const { version, at = "?", by = "?", why = "", change } of history) {
          const what = change === undefined ? version : `${version} ${change}`;
          console.log(`  ${at}  ${what}  ${by}  ${why}`.trimEnd());
        }
      });
    });
}
