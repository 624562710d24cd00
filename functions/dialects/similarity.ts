import * as z from "zod";
import { checkBody, invalidInput } from "../errors.ts";
import { listOfAny } from "./lists.ts";
import { shortened, toUnit } from "./vectors.ts";

export const similarityInputs = z.strictObject({
  source_sentence: z.string(),
  sentences: listOfAny({ type: "string" }),
});

const request = z.strictObject({ inputs: similarityInputs });

/** The sentences to compare, the one that the others are compared with first. Throws `invalid_input`. */
export function readSimilarity(inputs: unknown) {
  const data = checkBody(request, { inputs });
  const { source_sentence: source, sentences } = data.inputs;
  if (sentences.length === 0)
    throw invalidInput([{ path: "inputs.sentences", message: "must not be empty" }]);
  return { texts: [source, ...sentences], compared: data.inputs };
}

/** The cosine of each further vector to the first. Throws `invalid_input` where there is not one vector for a text. */
export function cosinesToFirst(vectors: readonly unknown[]): number[] {
  const [first = [], ...others] = vectors.map((vector) => toUnit(shortened(vector, undefined)));
  return others.map((vector) =>
    vector.reduce((sum, value, at) => sum + value * (first[at] ?? 0), 0),
  );
}
