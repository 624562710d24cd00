/** Records that wait to be counted. */
export interface Gathered<Counted> {
  add: (record: Counted) => void;
  /** Counts those that wait. Comes before sums are read. */
  readonly count: () => void;
}

/** How many records wait at most. With more of them the collector of the young generation finds too many alive. */
const MOST_WAITING = 16;

/**
 * Gathers records and counts many at once. Code that runs a single time between two requests finds neither itself nor
 * its data in the processor's caches, and takes about twice as long. `count` never throws.
 */
export function gather<Counted>(count: (record: Counted) => void): Gathered<Counted> {
  const waiting: Counted[] = [];

  function countAll(): void {
    for (const record of waiting.splice(0)) count(record);
  }

  return {
    add(record) {
      if (waiting.push(record) >= MOST_WAITING) countAll();
    },
    count: countAll,
  };
}
