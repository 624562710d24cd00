import { chiSquaredAbove, chiSquaredQuantile } from "./chi-squared.ts";

/** How far two distributions over the same bins are from each other. */
export interface Distance {
  /** The population stability index. */
  psi: number;
  /** The Jensen–Shannon distance with logarithms of base 2, from 0 to 1. */
  jensenShannon: number;
  /** PSI reaches this with the chance `alpha` where nothing has shifted. */
  psiThreshold: number;
  jensenShannonThreshold: number;
  /** The chance of samples so far apart where nothing has shifted, by Pearson's test: PSI is less exact for small samples. */
  chance: number;
}

/** The usual rule for χ². */
const FEWEST_EXPECTED = 5;

interface Samples {
  /** Counts by bin. */
  before: readonly number[];
  now: readonly number[];
  /** Whether neighbouring bins are alike. */
  isOrdered: boolean;
}

/**
 * Compares the counts of two samples by bin. Without a shift, PSI is about χ²(bins − 1) · (1/n + 1/m) for samples of n
 * and m values, and eight times the Jensen–Shannon divergence is about PSI. Bins that are too rare for that are joined.
 * Undefined where then all values are in one bin.
 */
export function distanceOf(samples: Samples, alpha: number): Distance | undefined {
  const [first, second] = withoutRareBins(samples);
  const [m, n] = [sum(first), sum(second)];
  const degrees = first.length - 1;
  if (m === 0 || n === 0 || degrees < 1) return undefined;
  const [p, q] = shares(first, second);
  const unit = 1 / n + 1 / m;
  const psi = stabilityIndex(p, q);
  const psiThreshold = unit * chiSquaredQuantile(alpha, degrees);
  return {
    psi,
    psiThreshold,
    jensenShannon: jensenShannon(p, q),
    jensenShannonThreshold: Math.sqrt(psiThreshold / 8 / Math.LN2),
    chance: chiSquaredAbove(pearson(first, second), degrees),
  };
}

/** Σ (q − p) · ln(q / p). Shares are above 0. */
function stabilityIndex(p: readonly number[], q: readonly number[]): number {
  return p.reduce((total, before, bin) => {
    const now = q[bin] ?? 0;
    return total + (now - before) * Math.log(now / before);
  }, 0);
}

/** The distance: the root of the divergence, as scipy's `jensenshannon` with base 2. */
function jensenShannon(p: readonly number[], q: readonly number[]): number {
  const divergence = p.reduce((total, before, bin) => {
    const now = q[bin] ?? 0;
    const middle = (before + now) / 2;
    return total + (bits(before, middle) + bits(now, middle)) / 2;
  }, 0);
  return Math.sqrt(Math.max(0, divergence));
}

function bits(share: number, middle: number): number {
  return share > 0 ? share * Math.log2(share / middle) : 0;
}

/** An empty bin would make PSI infinite: half a value is then added to each bin of both samples. */
function shares(first: readonly number[], second: readonly number[]): [number[], number[]] {
  const added = first.includes(0) || second.includes(0) ? 0.5 : 0;
  const shareOf = (counts: readonly number[]) => {
    const all = sum(counts) + added * counts.length;
    return counts.map((count) => (count + added) / all);
  };
  return [shareOf(first), shareOf(second)];
}

/** Joins bins until the smaller sample expects enough values in each: neighbours, or those with the fewest values. */
function withoutRareBins({ before, now, isOrdered }: Samples): [number[], number[]] {
  const together = before.map((count, bin) => count + (now[bin] ?? 0));
  const [m, n] = [sum(before), sum(now)];
  const least = (FEWEST_EXPECTED * (m + n)) / Math.min(m, n);
  const bins = together.map((_, bin) => bin);
  if (!isOrdered) bins.sort((a, b) => (together[b] ?? 0) - (together[a] ?? 0));
  const joined: number[][] = [];
  let values = 0;
  let open: number[] = [];
  for (const bin of bins) {
    open.push(bin);
    values += together[bin] ?? 0;
    if (values < least) continue;
    joined.push(open);
    [open, values] = [[], 0];
  }
  if (values > 0) joined.at(-1)?.push(...open);
  const counts = (of: readonly number[]) =>
    joined.map((own) => sum(own.map((bin) => of[bin] ?? 0)));
  return [counts(before), counts(now)];
}

/** Pearson's χ² of two samples over the same bins. */
function pearson(first: readonly number[], second: readonly number[]): number {
  const ratio = Math.sqrt(sum(first) / sum(second));
  return first.reduce((total, before, bin) => {
    const now = second[bin] ?? 0;
    return total + (before / ratio - now * ratio) ** 2 / (before + now);
  }, 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
