import type { BaselineQuantity } from "../../model/baseline.ts";
import { FEWEST_SHOWN } from "../fewest-shown.ts";
import type { Distance } from "./statistics.ts";

/**
 * Says what happened to a quantity, such as "petal_length: shifted upward, PSI 0.41, chance of that without a shift under
 * 1 in 1,000".
 */
export function wordsOf(
  quantity: BaselineQuantity,
  now: readonly number[],
  { distance, drifted }: { distance: Distance | undefined; drifted: boolean },
): string {
  const { name } = quantity;
  if (!distance) return `${name}: too few values in the window to compare`;
  const what = drifted ? changeOf(quantity, now) : "no shift to speak of";
  return `${name}: ${what}, PSI ${distance.psi.toFixed(2)}, chance of that without a shift ${oddsOf(distance.chance)}`;
}

/** A chance in words that are not more exact than it is. */
function oddsOf(chance: number): string {
  for (const many of [1_000_000, 1000, 100])
    if (chance < 1 / many) return `under 1 in ${many.toLocaleString("en-US")}`;
  return chance < 0.1 ? "under 1 in 10" : `${Math.round(chance * 100)} %`;
}

function changeOf(
  { edges, categories = [], counts }: BaselineQuantity,
  now: readonly number[],
): string {
  const missing = counts.length - 1;
  const [before, after] = [sharesOf(counts), sharesOf(now)];
  const most = largestGrowth(before, after);
  const shown = (now[most] ?? 0) < FEWEST_SHOWN ? "hardly any" : percent(after[most]);
  const growth = `${percent(before[most])} → ${shown}`;
  if (most === missing) return `more values missing (${growth})`;
  if (edges) return movementOf(counts.slice(0, -1), now.slice(0, -1));
  const what =
    most === categories.length ? "values unknown to training" : JSON.stringify(categories[most]);
  return `more ${what} (${growth})`;
}

/** So far from a half, the chance that a new value is above one of training shows a direction. */
const CLEAR = 0.05;

function movementOf(before: readonly number[], after: readonly number[]): string {
  const [p, q] = [sharesOf(before), sharesOf(after)];
  let below = 0;
  let above = 0;
  for (const [bin, share] of q.entries()) {
    above += share * (below + (p[bin] ?? 0) / 2);
    below += p[bin] ?? 0;
  }
  if (above > 0.5 + CLEAR) return "shifted upward";
  return above < 0.5 - CLEAR ? "shifted downward" : "spread differently";
}

/** The bin that adds most to PSI by growing. */
function largestGrowth(before: readonly number[], after: readonly number[]): number {
  const part = (bin: number) => {
    const [p, q] = [Math.max(before[bin] ?? 0, 1e-4), Math.max(after[bin] ?? 0, 1e-4)];
    return q > p ? (q - p) * Math.log(q / p) : 0;
  };
  return before.reduce((most, _, bin) => (part(bin) > part(most) ? bin : most), 0);
}

function percent(share = 0): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function sharesOf(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map((count) => count / all);
}
