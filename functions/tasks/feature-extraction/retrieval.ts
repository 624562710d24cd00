import type { VectorForm } from "./forms.ts";
import type { Weight } from "./sparse.ts";

/** A vector as a task answers it: its numbers, or those that are not 0, in order. */
export type Vector = readonly number[] | readonly Weight[];

/** Two numbers that differ by less are the same similarity. */
const ROUNDING = 1e-9;

/**
 * The cosine of two vectors. Sparse ones are compared by their product, and packed bits by how many of them differ, as
 * `semantic_search_faiss` and `semantic_search_usearch` of sentence-transformers do.
 */
export function similarity(
  one: Vector,
  other: Vector,
  precision?: VectorForm["precision"],
): number {
  if (isSparse(one) || isSparse(other))
    return product(one as readonly Weight[], other as readonly Weight[]);
  if (precision?.endsWith("binary")) return -differingBits(one, other);
  let [both, ones, others] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    const [a, b] = [one[at]!, other[at]!];
    both += a * b;
    ones += a * a;
    others += b * b;
  }
  return ones === 0 || others === 0 ? 0 : both / Math.sqrt(ones * others);
}

/**
 * Measures how often a right one is among the nearest. `places`: of each row the place of its nearest right one, from 1
 * on.
 */
export function retrievalMetrics(places: readonly number[], k: number): Record<string, number> {
  const share = (most: number) => places.filter((place) => place <= most).length / places.length;
  const reciprocals = places.map((place) => (place <= k ? 1 / place : 0));
  return {
    [`recall_at_${k}`]: share(k),
    recall_at_1: share(1),
    [`mrr_at_${k}`]: reciprocals.reduce((sum, one) => sum + one, 0) / places.length,
  };
}

/** The place of the nearest right one among all. Wrong ones that are as near go before it. */
export function placeOf<T>(
  all: Iterable<T>,
  isRight: (one: T) => boolean,
  nearness: (one: T) => number,
): number {
  let best = -Infinity;
  const wrong: number[] = [];
  for (const one of all) {
    const near = nearness(one);
    if (isRight(one)) best = Math.max(best, near);
    else wrong.push(near);
  }
  return 1 + wrong.filter((near) => near >= best - ROUNDING).length;
}

function differingBits(one: readonly number[], other: readonly number[]): number {
  let count = 0;
  for (let at = 0; at < one.length; at++)
    for (let bits = (one[at]! ^ other[at]!) & 255; bits > 0; bits >>= 1) count += bits & 1;
  return count;
}

function isSparse(vector: Vector): vector is readonly Weight[] {
  return typeof vector[0] === "object";
}

function product(one: readonly Weight[], other: readonly Weight[]): number {
  const values = new Map(other.map(({ index, value }) => [index, value]));
  return one.reduce((sum, { index, value }) => sum + value * (values.get(index) ?? 0), 0);
}
