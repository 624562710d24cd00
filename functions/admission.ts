import { NearcastError } from "./errors.ts";

/** Turns for runs, which share the processor. */
export interface Admission {
  /** Throws `overloaded` when a request that comes now would wait too long for its turn. */
  check(): void;
  /** Waits for a turn. Rejects with `overloaded`; otherwise `leave` must be called after the run. */
  enter(): Promise<void> | undefined;
  leave(): void;
}

/** Runs that take this long together may begin at once: between turns the server reads and refuses. */
const SLICE_MS = 5;
/** How much the newest run weighs in the mean. */
const WEIGHT = 0.1;
/** While the queue does not empty, nobody waits for more than this, or for more than so many runs. */
const SUSTAINED_MS = 20;
const SUSTAINED_RUNS = 8;

/**
 * Sheds load by time: how long a request would wait is the number of those before it, times the mean time
 * from one finished run to the next. A burst may queue for `maxQueueMs`; when the queue has not been empty
 * for that long, demand is more than there is, and only a short queue is kept (the idea is CoDel's, RFC 8289).
 * Times are milliseconds of the platform's clock.
 */
export function createAdmission(options: {
  now: () => number;
  /** Runs that can be computed at once. */
  parallelism: number;
  maxQueueMs: number;
}): Admission {
  const { now, parallelism, maxQueueMs } = options;
  const waiting: (() => void)[] = [];
  let running = 0;
  let meanMs = 0;
  let lastFinished = 0;
  let lastEmpty = 0;

  /** How many runs may be begun; twice what is computed, where threads of their own take them. */
  function places(): number {
    const least = parallelism === 1 ? 1 : parallelism * 2;
    return meanMs === 0 ? Infinity : Math.max(least, (parallelism * SLICE_MS) / meanMs);
  }

  function check(): void {
    const time = now();
    if (waiting.length === 0) {
      lastEmpty = time;
      return;
    }
    const waitMs = (waiting.length + running) * meanMs;
    const longest = time - lastEmpty > maxQueueMs ? SUSTAINED_MS : maxQueueMs;
    if (waitMs > Math.max(longest, SUSTAINED_RUNS * meanMs))
      throw new NearcastError("overloaded", "Too many requests are waiting; try again later.", {
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      });
  }

  return {
    check,
    enter() {
      check();
      if (running < places()) {
        // Idle time is no run's.
        if (running === 0) lastFinished = now();
        running += 1;
        return undefined;
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    leave() {
      const time = now();
      const taken = time - lastFinished;
      meanMs = meanMs === 0 ? taken : meanMs + WEIGHT * (taken - meanMs);
      lastFinished = time;
      running -= 1;
      while (waiting.length > 0 && running < places()) {
        running += 1;
        waiting.shift()?.();
      }
    },
  };
}
