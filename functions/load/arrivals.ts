/** The part of the processor that reading new requests may take before long runs. */
const PART = 0.1;
const LEAST_MS = 1;
/** After this many turns of the event loop in which nothing new came, nothing more is waiting. */
const QUIET_TURNS = 3;

/** Reads what has arrived at the process before a long run blocks it. */
export interface Arrivals {
  /** A request has been read. */
  note(): void;
  /** Turns the event loop until nothing new arrives, or too much time was spent for a run of `runMs`. */
  read(runMs: number): Promise<void>;
}

/**
 * The event loop accepts one connection a turn (libuv since 1.45). With a long run in each turn, a burst would
 * wait in the kernel: nobody could be refused there, and nobody would know who has gone away.
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
      const end = now() + Math.max(LEAST_MS, runMs * PART);
      for (let quiet = 0; quiet < QUIET_TURNS && now() < end; quiet++) {
        const before = arrived;
        await turnEventLoop();
        if (arrived !== before) quiet = 0;
      }
    },
  };
}
