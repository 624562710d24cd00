import type { Counters } from "./counters.ts";
import { createSums } from "./sums.ts";

interface Options {
  now?: () => number;
  /** Called with the first addition. */
  atFirst?: () => void;
}

/** Counts in this instance alone. `log` says when something was lost because there were too many fields. */
export function createMemoryCounters(
  log: (entry: Record<string, unknown>) => void,
  { now, atFirst }: Options = {},
): Counters {
  const sums = createSums(
    (lost) => log({ level: "error", message: "counters: additions were lost", lost }),
    now,
  );
  let isFirst = true;
  function begin(): void {
    if (isFirst) atFirst?.();
    isFirst = false;
  }
  return {
    add(group, fields) {
      begin();
      sums.add(group, fields);
    },
    addSoon(source) {
      begin();
      sums.addSoon(source);
    },
    read: async (group) => new Map(sums.of(group)),
    flush: async () => undefined,
  };
}
