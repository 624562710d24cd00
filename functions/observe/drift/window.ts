import type { Manifest } from "../../model/manifest.ts";
import type { Counters } from "../counters.ts";
import { driftReport, type DriftReport } from "./report.ts";
import { driftGroup } from "./watch.ts";

const HOUR_MS = 3_600_000;

/**
 * Compares the last hours of a version with its baseline, over all instances. The present hour, which has just begun or
 * is nearly over, is the first of them. Undefined for a version without a baseline. Rejects while the counters cannot be
 * reached.
 */
export async function driftOf(
  counters: Pick<Counters, "read">,
  manifest: Manifest,
  hours: number,
): Promise<DriftReport | undefined> {
  if (!manifest.baseline) return undefined;
  const now = Date.now();
  const sums = await Promise.all(
    Array.from({ length: hours }, async (_, ago) =>
      counters.read(driftGroup(manifest, now - ago * HOUR_MS)),
    ),
  );
  const counts = new Map<string, number>();
  for (const own of sums)
    for (const [field, value] of own) counts.set(field, (counts.get(field) ?? 0) + value);
  return driftReport(manifest, counts, hours);
}
