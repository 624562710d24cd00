import { predict, type Ask, type Manifest } from "../api.ts";

export interface Item {
  id: string;
  name: string;
}

/** More items than a person searches would make a long answer. */
const MOST_ITEMS = 20_000;

/**
 * The items that a model recommends. They are in no manifest, but the model names all that are not in a basket. So it is
 * asked with two baskets that have no item in common.
 */
export async function readCatalogue(ask: Ask, manifest: Manifest): Promise<Item[]> {
  const { name: model, examples, outputs } = manifest;
  const ids = examples.flatMap(({ input, output }) => [
    ...(Array.isArray(input) ? (input as string[]) : []),
    ...(Array.isArray(output) ? (output as Item[]).map(({ id }) => id) : []),
  ]);
  const [one, other] = new Set(ids);
  if (one === undefined) return [];
  const width = outputs[0]?.shape.at(-1) ?? 1;
  const question = {
    model,
    version: undefined,
    inputs: JSON.stringify(other === undefined ? [[one]] : [[one], [other]]),
    parameters: JSON.stringify({ top_k: Math.max(1, Math.min(width, MOST_ITEMS)) }),
  };
  const answer = await predict(ask, question, new AbortController().signal);
  const named = (answer.outputs as Item[][])
    .flat()
    .map(({ id, name }) => [id, { id, name }] as const);
  return [...new Map(named).values()];
}
