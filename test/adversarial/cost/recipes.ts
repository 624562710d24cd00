import { callRecipes } from "./calls.ts";
import { CODING_GENES, coded } from "./coding.ts";
import { fileRecipes } from "./files.ts";
import type { Recipe } from "./genes.ts";
import { jsonRecipes } from "./places.ts";
import { recordingRecipe } from "./recordings.ts";
import { routeRecipes } from "./routes.ts";
import { tableRecipes } from "./tables.ts";
import { tensorRecipes } from "./tensors.ts";

/** Every route and every kind of input, each in any content coding. */
export function allRecipes(): Recipe[] {
  return [
    ...jsonRecipes,
    ...tensorRecipes,
    ...callRecipes,
    ...tableRecipes,
    ...fileRecipes,
    recordingRecipe,
    ...routeRecipes(),
  ].map(({ name, genes, make }) => ({
    name,
    genes: { ...genes, ...CODING_GENES },
    make(given) {
      const attack = make(given);
      return attack && coded(attack, String(given["coding"]));
    },
  }));
}
