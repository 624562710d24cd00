import type { Attack } from "../request.ts";
import { COSTLY_BODIES } from "../costly-bodies.ts";
import { allRecipes } from "./recipes.ts";

/** The requests of {@link COSTLY_BODIES}, made one at a time. Throws an Error for one that no recipe makes. */
export function* costlyRequests(): Generator<{ name: string; attack: Attack }> {
  const recipes = new Map(allRecipes().map((recipe) => [recipe.name, recipe]));
  for (const { kind, genes } of COSTLY_BODIES) {
    const name = `${kind} ${JSON.stringify(genes)}`;
    const attack = recipes.get(kind)?.make(genes);
    if (!attack || (attack.body?.length ?? 0) > 65_536) throw new Error(`No recipe makes ${name}`);
    yield { name, attack };
  }
}
