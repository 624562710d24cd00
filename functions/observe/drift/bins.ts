import type { BaselineQuantity } from "../../model/baseline.ts";

/** Gives the bin of a value: its place in the counts of the baseline. */
export function binner({
  edges,
  categories = [],
  counts,
}: BaselineQuantity): (value: number | string | undefined) => number {
  const missing = counts.length - 1;
  if (edges)
    return (value) =>
      typeof value !== "number" || Number.isNaN(value) ? missing : edgesBelow(edges, value);
  const bins = new Map(categories.map((category, index) => [category, index]));
  return (value) =>
    value === undefined ? missing : (bins.get(String(value)) ?? categories.length);
}

/** How many edges are below the number. */
function edgesBelow(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
