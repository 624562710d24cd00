/** The share of time that reading new requests may take before long runs. */
const READING_SHARE = 0.1;
const LEAST_MS = 1;
/** When this many turns of the event loop bring nothing new, nothing is waiting. */
const QUIET_TURNS = 3;

/** Reads what has arrived at the process before a long run blocks it. */
export interface Arrivals {
  /** To be called for each request that was read. */
  note(): void;
  /** Turns the event loop until nothing new arrives, or until it has taken too long for a run of `runMs`. */
  read(runMs: number): Promise<void>;
}

/**
 * The event loop accepts one connection a turn (libuv since 1.45). With a long run in each turn, a burst would wait
 * in the kernel. There it could not be refused, and clients that leave would not be noticed.
 */
export function createArrivals({
  now,
  turnEventLoop,
}: {
  now: () => number;
  turnEventLoop: () => Promise<void>;
}): Arrivals {
  let arrived = 0;
  return {
    note() {
      arrived += 1;
    },
    async read(runMs) {
      const end = now() + Math.max(LEAST_MS, runMs * READING_SHARE);
      for (let quiet = 0; quiet < QUIET_TURNS && now() < end; quiet++) {
        const before = arrived;
        await turnEventLoop();
        if (arrived !== before) quiet = 0;
      }
    },
  };
}
