import { NearcastError } from "../errors.ts";

/** This many runs may always wait. */
const BURST_RUNS = 8;
/** Under lasting load, a request waits for this time and this many runs at most. */
const SUSTAINED_MS = 15;
const SUSTAINED_RUNS = 2;

/** The state of the queue for the processor. */
export interface Queue {
  waiting: { readonly length: number };
  running: number;
  /** Time from one finished run to the next. */
  meanMs: number;
}

/** Throws `overloaded` when a new request would wait too long for its turn. */
export type Shed = () => void;

/**
 * Refuses requests that would wait too long. The expected wait is the mean time of a run, times the number of requests
 * ahead. A burst may queue for `maxQueueMs`. When the queue has not been empty for that long, the load is lasting and
 * only a short queue is kept (the idea is CoDel's, RFC 8289).
 */
export function createShedding(
  queue: Readonly<Queue>,
  { now, maxQueueMs }: { now: () => number; maxQueueMs: number },
): Shed {
  let lastEmpty = 0;
  let lastRefused = -Infinity;

  return function shed() {
    const time = now();
    const { waiting, running, meanMs } = queue;
    if (waiting.length === 0) {
      // A short queue is empty now and then, even under lasting load.
      if (time - lastRefused > maxQueueMs) lastEmpty = time;
      return;
    }
    const waitMs = (waiting.length + running) * meanMs;
    const lasts = time - lastEmpty > maxQueueMs;
    const longest = lasts ? SUSTAINED_MS : maxQueueMs;
    if (waitMs > Math.max(longest, (lasts ? SUSTAINED_RUNS : BURST_RUNS) * meanMs)) {
      lastRefused = time;
      throw new NearcastError("overloaded", "Too many requests are waiting; try again later.", {
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      });
    }
  };
}
