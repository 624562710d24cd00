import type { BaselineQuantity } from "../../model/baseline.ts";
import type { Manifest } from "../../model/manifest.ts";
import { distanceOf, type Distance } from "./statistics.ts";
import { fieldOf, SQUARES, WEIGHTS } from "./watch.ts";
import { FEWEST_SHOWN } from "../fewest-shown.ts";
import { wordsOf } from "./words.ts";

/** The chance that a window without a shift raises an alarm for any quantity of the model. */
const ALPHA = 0.01;
/** A smaller PSI is no alarm, however sure it is. */
const LEAST_PSI = 0.1;
/** Fewer values say nothing of their distribution. */
const FEWEST_VALUES = 30;

/** One feature, or one number or label of the predictions, in a window. */
export interface QuantityDrift {
  name: string;
  of: "input" | "prediction";
  /** How many values the window has. */
  count: number;
  /** Undefined where there is nothing to compare. */
  distance: Distance | undefined;
  drifted: boolean;
  /** In words, what has shifted, and how sure that is. */
  summary: string;
  bins: readonly Bin[];
}

interface Bin {
  /** The numbers up to it are in the bin. Absent for the last bin of numbers. */
  upTo?: number;
  category?: string;
  /** The bin of all other categories. */
  others?: true;
  missing?: true;
  /** The share of the training data. */
  baseline: number;
  /** The share of the window. Null where the bin has fewer than five values, or would tell of such a bin. */
  window: number | null;
}

export interface DriftReport {
  model: string;
  version: string;
  /** How many hours the window has, with the present one. */
  hours: number;
  /** Rows of the training data. */
  baselineRows: number;
  drifted: boolean;
  /** The chance that a window without a shift is said to have drifted. */
  alpha: number;
  leastPsi: number;
  quantities: QuantityDrift[];
}

/** Compares the counts of a window with the version's baseline. Undefined for a version without one. */
export function driftReport(
  { name, version, baseline }: Manifest,
  counts: ReadonlyMap<string, number>,
  hours: number,
): DriftReport | undefined {
  if (!baseline) return undefined;
  // With every quantity, there is one chance more of a false alarm.
  const alpha = ALPHA / baseline.quantities.length;
  // A sample in which each stands for forty is as sure as its own size lets it be (Kish's effective sample size).
  const worth = (counts.get(WEIGHTS) ?? 1) / (counts.get(SQUARES) ?? 1);
  const quantities = baseline.quantities.map((quantity, index) => {
    const now = quantity.counts.map((_, bin) => counts.get(fieldOf(index, bin)) ?? 0);
    return driftOf(quantity, now, { worth, alpha });
  });
  return {
    model: name,
    version,
    hours,
    baselineRows: baseline.rows,
    drifted: quantities.some(({ drifted }) => drifted),
    alpha: ALPHA,
    leastPsi: LEAST_PSI,
    quantities,
  };
}

/** `worth`: how many counted values of their own each value of the window is worth, at most 1. */
function driftOf(
  quantity: BaselineQuantity,
  now: readonly number[],
  { worth, alpha }: { worth: number; alpha: number },
): QuantityDrift {
  const count = sum(now);
  const counted = now.map((one) => one * worth);
  const isOrdered = quantity.edges !== undefined;
  const samples = { before: quantity.counts, now: counted, isOrdered };
  const distance = sum(counted) < FEWEST_VALUES ? undefined : distanceOf(samples, alpha);
  const drifted =
    distance !== undefined &&
    distance.psi >= Math.max(distance.psiThreshold, LEAST_PSI) &&
    distance.jensenShannon >= distance.jensenShannonThreshold &&
    distance.chance <= alpha;
  return {
    name: quantity.name,
    of: quantity.of,
    count,
    distance,
    drifted,
    summary: wordsOf(quantity, now, { distance, drifted }),
    bins: binsOf(quantity, now),
  };
}

function binsOf(
  { edges, categories = [], counts }: BaselineQuantity,
  now: readonly number[],
): Bin[] {
  const [before, all] = [sum(counts), sum(now)];
  const hidden = hiddenBins(now);
  return counts.map((count, bin) => {
    const edge = edges?.[bin];
    const category = categories[bin];
    return {
      ...(edge !== undefined && { upTo: edge }),
      ...(category !== undefined && { category }),
      ...(!edges && bin === categories.length && { others: true as const }),
      ...(bin === counts.length - 1 && { missing: true as const }),
      baseline: count / before,
      window: hidden.has(bin) ? null : (now[bin] ?? 0) / all,
    };
  });
}

/** Bins with few values. The next larger ones too, where the sum of all would tell those. */
function hiddenBins(counts: readonly number[]): ReadonlySet<number> {
  const rising = counts.map((count, bin) => ({ count, bin })).toSorted((a, b) => a.count - b.count);
  const hidden = new Set<number>();
  let values = 0;
  for (const { count, bin } of rising) {
    const isTold = values > 0 && values < FEWEST_SHOWN;
    if (count >= FEWEST_SHOWN && !isTold) break;
    hidden.add(bin);
    values += count;
  }
  return hidden;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
