import {
  MOST_BINS,
  MOST_CATEGORIES,
  type Baseline,
  type BaselineQuantity,
} from "../../model/baseline.ts";
import type { Quantity, Seen } from "../../tasks/define.ts";
import { binner } from "./bins.ts";

/** Gathers the values of the data, and makes the bins of a baseline from them. */
export class BaselineMaker {
  readonly #values: { quantity: Quantity; values: (number | string | undefined)[] }[];

  constructor(quantities: readonly Quantity[]) {
    this.#values = quantities.map((quantity) => ({ quantity, values: [] }));
  }

  add(seen: Seen): void {
    for (const { quantity, values } of this.#values)
      quantity.each(seen, (value) => void values.push(value));
  }

  /** Leaves out quantities that no input had. */
  finish(rows: number): Baseline {
    const quantities = this.#values.flatMap(({ quantity, values }) =>
      values.length > 0 ? [binsOf(quantity, values)] : [],
    );
    return { rows, quantities };
  }
}

function binsOf(
  { name, of, kind, categories }: Quantity,
  values: readonly (number | string | undefined)[],
): BaselineQuantity {
  const bins =
    kind === "number"
      ? { edges: edgesOf(values.filter((value) => typeof value === "number")) }
      : { categories: categoriesOf(values, categories) };
  const length = (bins.edges ?? bins.categories ?? []).length + 2;
  const quantity = { name, of, ...bins, counts: Array.from({ length }, () => 0) };
  const binOf = binner(quantity);
  for (const value of values) {
    const bin = binOf(value);
    quantity.counts[bin] = (quantity.counts[bin] ?? 0) + 1;
  }
  return quantity;
}

/**
 * Edges between bins of about as many numbers each. An edge is between two numbers of the data: numbers that differ
 * only by rounding are in the same bin on every runtime.
 */
function edgesOf(numbers: readonly number[]): number[] {
  const sorted = numbers.filter((number) => !Number.isNaN(number)).toSorted((a, b) => a - b);
  const distinct = sorted.filter((number, index) => number !== sorted[index - 1]);
  const edges = new Set<number>();
  for (let bin = 1; bin < MOST_BINS; bin++) {
    const below =
      distinct.length <= MOST_BINS
        ? distinct[bin - 1]
        : sorted[Math.ceil((bin * sorted.length) / MOST_BINS) - 1];
    const above = sorted[firstAbove(sorted, below ?? Infinity)];
    if (below !== undefined && above !== undefined) edges.add(between(below, above));
  }
  return [...edges];
}

function firstAbove(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The shortest number between two others, about in the middle. */
function between(below: number, above: number): number {
  const middle = below + (above - below) / 2;
  for (let digits = 1; digits <= 17; digits++) {
    const short = Number(middle.toPrecision(digits));
    if (below < short && short < above) return short;
  }
  return below;
}

/** The known categories, or the most frequent ones. */
function categoriesOf(
  values: readonly (number | string | undefined)[],
  known: readonly string[] | undefined,
): string[] {
  if (known && known.length <= MOST_CATEGORIES) return [...known];
  const counts = new Map<string, number>();
  for (const value of values)
    if (value !== undefined) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  return [...counts]
    .toSorted(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .slice(0, MOST_CATEGORIES)
    .map(([category]) => category);
}
