import { LRUCache } from "lru-cache";
import type { Baseline } from "../../model/baseline.ts";
import type { Follower } from "../../follow.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { ModelVersion } from "../../model/registry.ts";
import type { Seen } from "../../tasks/define.ts";
import type { Counters, Group } from "../counters.ts";
import { binner } from "./bins.ts";

const HOUR_MS = 3_600_000;
/** The most hours that a window can have. */
export const MOST_HOURS = 24;
const KEPT_SECONDS = (MOST_HOURS + 1) * 3600;

interface Watched {
  /** Counts the values of one quantity, into a Map of fields. */
  count: ((seen: Seen) => void)[];
  fields: Map<string, number>;
  hour: number;
  group: Group;
}

/** The sums of one hour of a version. The hour is that of a time in milliseconds since 1970. */
export function driftGroup({ name: model, version }: Manifest, time: number): Group {
  const hour = new Date(time).toISOString().slice(0, 13);
  return { model, name: `drift/${version}/${hour}`, keptSeconds: KEPT_SECONDS };
}

/** The field of a bin: the places of its quantity and its own in the baseline. */
export function fieldOf(quantity: number, bin: number): string {
  return `${quantity}.${bin}`;
}

/** The most versions whose counts are shown as metrics. */
const KNOWN_VERSIONS = 100;

export interface DriftWatch extends Follower {
  /** The versions that this instance counted lately. */
  versions: () => Manifest[];
}

/** Counts inputs and answers into the bins of baselines. `onFailure` gets what a task threw. */
export function createWatch(
  counters: Pick<Counters, "add">,
  onFailure: (error: unknown) => void,
): DriftWatch {
  const known = new LRUCache<Manifest, Watched>({ max: KNOWN_VERSIONS });

  function begin({ manifest, compiled }: ModelVersion, baseline: Baseline): Watched {
    const fields = new Map<string, number>();
    const count = countersOf(baseline, compiled.quantities ?? [], fields);
    const begun = { count, fields, hour: -1, group: driftGroup(manifest, 0) };
    known.set(manifest, begun);
    return begun;
  }

  return {
    versions: () => [...known.keys()],
    wants: ({ manifest }) => manifest.baseline !== undefined,
    follow(version, _asked, seen) {
      const { manifest } = version;
      const { baseline } = manifest;
      if (!baseline) return;
      try {
        const own = known.get(manifest) ?? begin(version, baseline);
        const now = Date.now();
        const hour = Math.floor(now / HOUR_MS);
        if (own.hour !== hour) {
          own.hour = hour;
          own.group = driftGroup(manifest, now);
        }
        for (const count of own.count) count(seen);
        counters.add(own.group, own.fields);
        own.fields.clear();
      } catch (error) {
        onFailure(error);
      }
    },
  };
}

/** A quantity that the task does not know (any more) is not counted. */
function countersOf(
  { quantities }: Baseline,
  known: NonNullable<ModelVersion["compiled"]["quantities"]>,
  fields: Map<string, number>,
): Watched["count"] {
  return quantities.flatMap((bins, index) => {
    const quantity = known.find(({ name }) => name === bins.name);
    if (!quantity) return [];
    const binOf = binner(bins);
    const names = bins.counts.map((_, bin) => fieldOf(index, bin));
    const take = (value: number | string | undefined): void => {
      const field = names[binOf(value)] as string;
      fields.set(field, (fields.get(field) ?? 0) + 1);
    };
    return (seen: Seen) => quantity.each(seen, take);
  });
}
