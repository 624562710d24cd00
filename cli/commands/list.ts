import type { Command } from "commander";
import { readRelease } from "../../functions/model/release.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { jsonOption, withStoreOptions, type StoreFlags } from "../options.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  json?: true;
}

/** `nearcast list`. */
export function listCommand(program: Command): void {
  withStoreOptions(program.command("list"))
    .description("the models of a store with their versions; * is the released one")
    .addOption(jsonOption())
    .action(async (flags: Flags) => {
      await withStore(flags.store, flags, async (store) => {
        const models = [];
        for (const [name, versions] of await storedVersions(store)) {
          const released = (await readRelease(store, name))?.release.stable ?? null;
          models.push({ name, versions, released });
        }
        if (flags.json) return console.log(JSON.stringify({ models }));
        for (const { name, versions, released } of models)
          console.log(
            `${name}  ${versions.map((one) => (one === released ? `${one}*` : one)).join(" ")}`,
          );
      });
    });
}
