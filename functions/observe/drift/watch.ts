import { LRUCache } from "lru-cache";
import type { Baseline } from "../../model/baseline.ts";
import type { Follower } from "../../follow.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Quantity, Seen } from "../../tasks/define.ts";
import type { Counters, Group } from "../counters.ts";
import { createTally, type Tally } from "../tally.ts";
import { binner } from "./bins.ts";

const HOUR_MS = 3_600_000;
/** The most hours that a window can have. */
export const MOST_HOURS = 24;
const KEPT_SECONDS = (MOST_HOURS + 1) * 3600;

/** The sums of one hour of a version. The hour is that of a time in milliseconds since 1970. */
export function driftGroup({ name: model, version }: Manifest, time: number): Group {
  const hour = new Date(time).toISOString().slice(0, 13);
  return { model, name: `drift/${version}/${hour}`, keptSeconds: KEPT_SECONDS };
}

/** The field of a bin: the places of its quantity and its own in the baseline. */
export function fieldOf(quantity: number, bin: number): string {
  return `${quantity}.${bin}`;
}

/**
 * The fields of the weights of all values that were counted, and of their squares. Where only a sample of a busy version is counted,
 * they tell how many values that sample is worth.
 */
export const WEIGHTS = "weights";
export const SQUARES = "squares";

/** The most versions whose counts are shown as metrics. */
const KNOWN_VERSIONS = 100;

export interface DriftWatch extends Follower {
  /** The versions that this instance counted lately. */
  versions: () => Manifest[];
}

/** Counts inputs and answers into the bins of baselines. `onFailure` gets what a task threw. */
export function createWatch(
  counters: Pick<Counters, "addSoon">,
  onFailure: (error: unknown) => void,
): DriftWatch {
  const known = new LRUCache<Manifest, true>({ max: KNOWN_VERSIONS });

  return {
    versions: () => [...known.keys()],
    begin({ manifest, compiled }) {
      const { baseline } = manifest;
      if (!baseline) return undefined;
      const bins = baseline.quantities.flatMap(({ counts }, quantity) =>
        counts.map((_, bin) => fieldOf(quantity, bin)),
      );
      const fields = [...bins, WEIGHTS, SQUARES];
      known.set(manifest, true);
      let hour = -1;
      let sums: Tally;
      let weight = 1;
      let taken = 0;
      const counts = binnedBy(baseline, compiled.quantities ?? []).map(
        ({ quantity, binOf, start }) => {
          const take = (value: number | string | undefined): void => {
            taken += 1;
            sums.add(start + binOf(value), weight);
          };
          return (seen: Seen) => quantity.each(seen, take);
        },
      );
      return (_version, { at }, seen, own) => {
        weight = own;
        try {
          if (Math.floor(at / HOUR_MS) !== hour) {
            hour = Math.floor(at / HOUR_MS);
            sums = createTally(counters, driftGroup(manifest, at), fields);
            known.set(manifest, true);
          }
          taken = 0;
          for (const count of counts) count(seen);
          sums.add(bins.length, taken * weight);
          sums.add(bins.length + 1, taken * weight ** 2);
          sums.changed();
        } catch (error) {
          onFailure(error);
        }
      };
    },
  };
}

/** The quantities of a baseline with their bins, and the place of each one's first bin. */
function binnedBy({ quantities }: Baseline, known: readonly Quantity[]) {
  let start = 0;
  return quantities.flatMap((bins) => {
    const own = start;
    start += bins.counts.length;
    const quantity = known.find(({ name }) => name === bins.name);
    // A quantity that the task does not know (any more) is not counted.
    return quantity ? [{ quantity, binOf: binner(bins), start: own }] : [];
  });
}
