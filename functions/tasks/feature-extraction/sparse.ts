import { NUMBER_BYTES } from "../../wire/answer-size.ts";

type Vectors = readonly (Float32Array | Float64Array)[];

/** A number of a sparse vector that is not 0, and its place. */
export interface Weight {
  index: number;
  value: number;
}

const WEIGHT_BYTES = '{"index":100000,"value":},'.length + NUMBER_BYTES;

/** The bytes of JSON that sparse vectors take. */
export function sparseBytes(answers: readonly unknown[]): number {
  return (answers as Weight[][]).reduce((sum, { length }) => sum + length * WEIGHT_BYTES, 0);
}

/**
 * SPLADE: of the logits of a text's tokens, the largest for each token of the vocabulary, where it is above 0, as the
 * logarithm of 1 + it.
 */
export function splade(tokens: Vectors, size: number): Weight[] {
  const largest = new Float32Array(size);
  for (const logits of tokens)
    for (let index = 0; index < size; index++)
      largest[index] = Math.max(largest[index]!, logits[index]!);
  return sparse(largest.map((value) => Math.log1p(value)));
}

/** The numbers of a vector that are not 0, in order. */
export function sparse(vector: ArrayLike<number>): Weight[] {
  const weights: Weight[] = [];
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index]!;
    if (value !== 0) weights.push({ index, value });
  }
  return weights;
}
