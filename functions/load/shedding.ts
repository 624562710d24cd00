import { NearcastError } from "../errors.ts";

/** This many runs may always wait. */
const BURST_RUNS = 8;
/** While the load lasts, nobody waits for more than this, or for more than this many runs. */
const SUSTAINED_MS = 15;
const SUSTAINED_RUNS = 2;

/** How long the queue for the processor is. */
export interface Queue {
  waiting: { readonly length: number };
  running: number;
  /** From one finished run to the next. */
  meanMs: number;
}

/** Throws `overloaded` when a request that comes now would wait too long for its turn. */
export type Shed = () => void;

/**
 * Sheds load by time: a request would wait for those before it, each for the mean time of a run. A burst may
 * queue for `maxQueueMs`. When the queue has not been empty for that long, demand is more than there is, and
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
      // A queue that is kept short is empty now and then, although the load lasts.
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
