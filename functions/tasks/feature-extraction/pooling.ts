import type { Pooling } from "../text/options.ts";

export type Numbers = Float32Array | Float64Array;
type Vectors = readonly Numbers[];

/** Makes one vector of `size` numbers from the vectors of a text's tokens, in order. Sums are in double precision. */
export const POOL: Record<Pooling, (vectors: Vectors, size: number) => number[]> = {
  mean: (vectors, size) =>
    sum(vectors, size).map((total) => Math.fround(total / Math.max(1, vectors.length))),
  cls: (vectors, size) => Array.from(vectors[0] ?? zeros(size)),
  lasttoken: (vectors, size) => Array.from(vectors.at(-1) ?? zeros(size)),
  max: (vectors, size) =>
    zeros(size).map((_, index) =>
      vectors.reduce(
        (highest, vector) => Math.max(highest, vector[index] ?? 0),
        vectors[0]?.[index] ?? 0,
      ),
    ),
  mean_sqrt_len_tokens: (vectors, size) =>
    sum(vectors, size).map((total) => Math.fround(total / Math.sqrt(Math.max(1, vectors.length)))),
  weightedmean: (vectors, size) => {
    const weights = (vectors.length * (vectors.length + 1)) / 2;
    return sum(vectors, size, (position) => position + 1).map((total) =>
      Math.fround(total / Math.max(1, weights)),
    );
  },
};

function sum(vectors: Vectors, size: number, weightOf = (_position: number) => 1): number[] {
  const sums = zeros(size);
  for (const [position, vector] of vectors.entries()) {
    const weight = weightOf(position);
    for (let index = 0; index < size; index++)
      sums[index] = (sums[index] ?? 0) + weight * (vector[index] ?? 0);
  }
  return sums;
}

function zeros(size: number): number[] {
  return Array.from({ length: size }, () => 0);
}

/** The vector scaled to length 1, in single precision. */
export function toUnitLength(vector: ArrayLike<number>): number[] {
  const values = Array.from(vector);
  const length = Math.hypot(...values);
  return length === 0 ? values : values.map((value) => Math.fround(value / length));
}
