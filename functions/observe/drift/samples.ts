import type { Manifest } from "../../model/manifest.ts";
import type { Platform } from "../../platform/types.ts";
import { createFreshSamples } from "../fresh-samples.ts";
import { GAUGES } from "../metrics.ts";
import type { Sample } from "../metrics-text.ts";
import { MOST_HOURS } from "./watch.ts";
import { driftOf } from "./window.ts";

/** Gives the drift of the last day as samples, for the versions that this instance counted lately. */
export function createDriftSamples(
  { counters, log }: Pick<Platform, "counters" | "log">,
  versions: () => readonly Manifest[],
): () => Promise<Sample[]> {
  return createFreshSamples(log, {
    what: "drift",
    subjects: versions,
    async samplesOf(manifest: Manifest) {
      const report = await driftOf(counters, manifest, MOST_HOURS);
      return (report?.quantities ?? []).flatMap(({ name, distance, drifted }) => {
        if (!distance) return [];
        const labels = [manifest.name, manifest.version, name];
        return [
          { metric: GAUGES.drift, labels, values: [distance.psi] },
          { metric: GAUGES.drifted, labels, values: [Number(drifted)] },
        ];
      });
    },
  });
}
