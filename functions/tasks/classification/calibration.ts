import type { Calibration } from "../define.ts";

/** As many as Guo and others use (arXiv 1706.04599). */
const BINS = 15;
/** How often outcomes are drawn anew. */
const DRAWS = 1000;
/** One draw in a hundred is above the bound. */
const QUANTILE = 0.99;

/**
 * The expected calibration error of scores between 0 and 1: in bins of the same width, the mean distance of the mean
 * score from the share of hits. The bound comes from drawing the outcomes of calibrated scores again and again, as few
 * rows have an error by chance. Undefined without rows.
 */
export function calibrationOf(
  scores: readonly number[],
  hits: readonly boolean[],
): Calibration | undefined {
  const rows = scores.length;
  if (rows === 0) return undefined;
  const places = scores.map(binOf);
  const error = errorOf(scores, places, (row) => hits[row] === true);
  const random = createRandom();
  const drawn = Array.from({ length: DRAWS }, () =>
    errorOf(scores, places, (row) => random() < (scores[row] ?? 0)),
  ).toSorted((a, b) => a - b);
  return { error, bins: BINS, rows, bound: drawn[Math.ceil(DRAWS * QUANTILE) - 1] ?? 0 };
}

/** A score on the border of two bins is in the lower one. */
function binOf(score: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.ceil(score * BINS) - 1));
}

function errorOf(
  scores: readonly number[],
  places: readonly number[],
  isHit: (row: number) => boolean,
): number {
  const differences = new Float64Array(BINS);
  for (const [row, place] of places.entries())
    differences[place] = (differences[place] ?? 0) + (scores[row] ?? 0) - Number(isHit(row));
  return differences.reduce((sum, difference) => sum + Math.abs(difference), 0) / scores.length;
}

/** Always the same numbers between 0 and 1 (mulberry32), so that the bound is always the same. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
