import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command } from "commander";
import { modelsOption, withLocalOptions, type StoreFlags } from "../options.ts";
import { checkName } from "../package-folder.ts";
import { withStore } from "../store.ts";
import { readRecipe, RECIPE_FILE } from "../train/recipe.ts";
import { train } from "../train/train.ts";

interface Flags extends StoreFlags {
  models: string;
}

/** `nearcast train [model] --store <url>`. */
export function trainCommand(program: Command): void {
  withLocalOptions(
    program
      .command("train [model]")
      .description(
        `train a model by its ${RECIPE_FILE} and make its next version, unless the store has one that was trained from the same data and script; without a name, every model that has a ${RECIPE_FILE}`,
      )
      .requiredOption("--store <url>", "where the versions are that were trained before")
      .addOption(modelsOption()),
  ).action(async (model: string | undefined, flags: Flags) => {
    if (model !== undefined) checkName("model", model);
    const names = model === undefined ? await folders(flags.models) : [model];
    let recipes = 0;
    for (const name of names) {
      const recipe = await readRecipe(join(flags.models, name));
      if (!recipe) continue;
      recipes += 1;
      // Training takes long. A store's connection need not.
      console.log(
        await withStore(flags.store, flags, (store) => train(flags.models, name, recipe, store)),
      );
    }
    if (model !== undefined && recipes === 0)
      throw new Error(
        `There is no ${join(flags.models, model, RECIPE_FILE)}: docs/pipelines.md says what it has.`,
      );
    if (recipes === 0)
      console.log(`No model in ${flags.models} has a ${RECIPE_FILE}: nothing to train.`);
  });
}

async function folders(models: string): Promise<string[]> {
  const entries = await readdir(models, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}
