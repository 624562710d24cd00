/** A token in the place of a mask. */
export interface Filled {
  score: number;
  token: number;
  token_str: string;
  sequence: string;
}

type Numbers = Float32Array | Float64Array;

/**
 * The likeliest tokens of a mask, likeliest first: their numbers and their shares of the softmax. `targets` are the only
 * ones to choose from, if there are any.
 */
export function likeliest(
  logits: Numbers,
  count: number,
  targets: readonly number[] | undefined,
): { token: number; score: number }[] {
  let highest = -Infinity;
  for (const value of logits) if (value > highest) highest = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - highest);
  return best(logits, count, targets).map((token) => ({
    token,
    score: Math.exp(logits[token]! - highest) / sum,
  }));
}

/** The indexes of the highest values, highest first. */
function best(values: Numbers, count: number, targets: readonly number[] | undefined): number[] {
  const descending = (a: number, b: number) => values[b]! - values[a]!;
  if (targets) return targets.toSorted(descending).slice(0, count);
  let kept: number[] = [];
  let least = -Infinity;
  for (let index = 0; index < values.length; index++) {
    if (values[index]! <= least) continue;
    kept.push(index);
    if (kept.length < 2 * count + 64) continue;
    kept = kept.sort(descending).slice(0, count);
    least = values[kept.at(-1)!]!;
  }
  return kept.sort(descending).slice(0, count);
}
