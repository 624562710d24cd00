import type { Counters } from "../../functions/observe/counters.ts";
import { createGatheredCounters, type Place } from "../../functions/platform/counters/gathered.ts";

/** Counters of one instance, which sends only when a test says so. */
export function instanceOf(place: Place, log: (entry: object) => void = () => undefined): Counters {
  return createGatheredCounters(place, { log, schedule: () => true });
}
