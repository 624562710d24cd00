import type { Counters } from "./counters.ts";
import { createSums } from "./sums.ts";

/** Counts in this instance alone. `log` says when something was lost because there were too many fields. */
export function createMemoryCounters(
  log: (entry: Record<string, unknown>) => void,
  now?: () => number,
): Counters {
  const sums = createSums((lost) => log(lossOf(lost)), now);
  return {
    add: (group, fields) => sums.add(group, fields),
    read: async (group) => new Map(sums.of(group)),
    flush: async () => undefined,
  };
}

/** The line of the log about additions that were lost. */
function lossOf(lost: number): Record<string, unknown> {
  return { level: "error", message: "counters: additions were lost", lost };
}
