import { NearcastError } from "../errors.ts";

/** During an overload a request waits no longer than this, or than this many runs take. */
const SHORT_MS = 15;
const SHORT_RUNS = 2;
/** This many runs may wait however small `MAX_QUEUE_MS` is. */
const BURST_RUNS = 8;
/** An overload is over when nothing was refused for this long, and for this many runs. */
const QUIET_MS = 500;
const QUIET_RUNS = 4;
/** Nobody is asked to come again later than this. */
const LONGEST_RETRY_MS = 60_000;

/** How long a queue for the processor is. */
export interface Queue {
  waiting: () => number;
  running: number;
  /** Time from one finished run to the next. */
  meanMs: number;
}

/** Decides which requests are refused because the processor has too much to do. */
export interface Overload {
  /** Begins an overload, or goes on with it. */
  begin(): void;
  /** Whether a new request would wait in this queue for longer than is allowed now. */
  isFull(queue: Readonly<Queue>): boolean;
  /** What a request is told that is refused because of this queue. */
  refusal(queue: Readonly<Queue>): NearcastError;
}

/**
 * Clients that wait for their answers before they ask again make a queue no longer than they are many, however slow
 * the machine is. So neither a wait nor a machine that is busy begins an overload. More requests than clients that wait
 * can make do. From then on the queue is kept short, because it would be as long as is allowed for as long as the
 * overload lasts. Times are milliseconds.
 */
export function createOverload(now: () => number, maxQueueMs: number): Overload {
  let lasts = false;
  let lastRefused = 0;
  /** When the last of those who were refused is expected again. */
  let lastRetry = 0;

  return {
    begin() {
      lasts = true;
      lastRefused = now();
    },
    isFull(queue) {
      if (queue.waiting() === 0) return false;
      const { meanMs } = queue;
      if (lasts && now() - lastRefused > Math.max(QUIET_MS, QUIET_RUNS * meanMs)) lasts = false;
      const longest = lasts
        ? Math.max(Math.min(SHORT_MS, maxQueueMs), SHORT_RUNS * meanMs)
        : Math.max(maxQueueMs, BURST_RUNS * meanMs);
      return waitMs(queue) > longest;
    },
    refusal(queue) {
      const time = now();
      lastRefused = time;
      // The refused come again one after the other, as fast as the processor can answer them.
      const retry = Math.max(lastRetry, time + waitMs(queue)) + queue.meanMs;
      lastRetry = Math.min(retry, time + LONGEST_RETRY_MS);
      return new NearcastError("overloaded", "Too many requests are waiting; try again later.", {
        retryAfterSeconds: Math.max(1, Math.ceil((lastRetry - time) / 1000)),
      });
    },
  };
}

function waitMs({ waiting, running, meanMs }: Readonly<Queue>): number {
  return (waiting() + running) * meanMs;
}
