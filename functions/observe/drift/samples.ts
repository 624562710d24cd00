import type { Manifest } from "../../model/manifest.ts";
import type { Platform } from "../../platform/types.ts";
import { GAUGES } from "../metrics.ts";
import type { Sample } from "../metrics-text.ts";
import { MOST_HOURS } from "./watch.ts";
import { driftOf } from "./window.ts";

/** A version is compared at most once in this time: its counts are in as many places as the window has hours. */
const FRESH_MS = 60_000;

/**
 * Gives the drift of the last day as samples, for the versions that this instance counted lately. While the counters are
 * out of reach, there is none.
 */
export function createDriftSamples(
  { counters, log }: Pick<Platform, "counters" | "log">,
  versions: () => readonly Manifest[],
): () => Promise<Sample[]> {
  const kept = new WeakMap<Manifest, { samples: Sample[]; at: number }>();

  async function samplesOf(manifest: Manifest): Promise<Sample[]> {
    const known = kept.get(manifest);
    const at = Date.now();
    if (known && Math.abs(at - known.at) < FRESH_MS) return known.samples;
    const report = await driftOf(counters, manifest, MOST_HOURS);
    const samples = (report?.quantities ?? []).flatMap(({ name, distance, drifted }) => {
      if (!distance) return [];
      const labels = [manifest.name, manifest.version, name];
      return [
        { metric: GAUGES.drift, labels, values: [distance.psi] },
        { metric: GAUGES.drifted, labels, values: [Number(drifted)] },
      ];
    });
    kept.set(manifest, { samples, at });
    return samples;
  }

  return async () => {
    try {
      return (await Promise.all(versions().map(samplesOf))).flat();
    } catch (error) {
      log({
        level: "error",
        message: "counters out of reach: no metrics of drift",
        error: String(error),
      });
      return [];
    }
  };
}
