import { NearcastError } from "../errors.ts";

/** The turns that a request takes: for what its inputs become, and for its runs. */
export interface Turns {
  preparing: Admission;
  running: Admission;
}

/** Turns for work that shares the processor. */
export interface Admission {
  /** Throws `overloaded` when a request that comes now would wait too long for its turn. */
  check(): void;
  /** Waits for a turn. Throws `overloaded`; otherwise `leave` must be called after the run. */
  enter(): Promise<void> | undefined;
  /** Between two parts of the work: gives a turn that has lasted to others, and waits for the next. */
  pause(): Promise<void> | undefined;
  /** Gives the turn away. What it gives, if anything, is to be waited for before the run is answered. */
  leave(): Promise<void> | undefined;
}

/** Runs that take this long together may begin at once. */
const SLICE_MS = 5;
/**
 * Runs shorter than this are computed back to back and answered together: in turn with answers, each run and each
 * answer would find the other's code and data in the processor's caches.
 */
const SHORT_MS = 0.5;
/** How much the newest run weighs in the mean. */
const WEIGHT = 0.1;
/** So many runs may always wait. */
const BURST_RUNS = 8;
/** While the load lasts, nobody waits for more than this, or for more than so many runs. */
const SUSTAINED_MS = 15;
const SUSTAINED_RUNS = 2;
/** The part of the processor that looking for new requests may take under load. */
const LOOKING = 0.1;

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
  /** Lets what has arrived at the process be read; absent where a run does not block that. */
  turnEventLoop: (() => Promise<void>) | undefined;
}): Admission {
  const { now, parallelism, maxQueueMs, turnEventLoop } = options;
  const waiting: (() => void)[] = [];
  let running = 0;
  let arrived = 0;
  let meanMs = 0;
  let lastFinished = 0;
  let lastEmpty = 0;
  let lastRefused = -Infinity;
  /** For runs that are over, while others of this turn of the event loop are not. */
  let answers: PromiseWithResolvers<void> | undefined;

  /** How many runs may be begun; twice what is computed, where threads of their own take them. */
  function places(): number {
    const least = turnEventLoop ? 1 : parallelism * 2;
    return meanMs === 0 ? Infinity : Math.max(least, (parallelism * SLICE_MS) / meanMs);
  }

  function check(): void {
    arrived += 1;
    const time = now();
    if (waiting.length === 0) {
      // A short queue also runs empty between two of those whom it is kept short for.
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
  }

  /**
   * Before a long run the event loop turns until nothing new arrives. It accepts one connection a turn
   * (libuv since 1.45): with a run in each turn, a burst would wait in the kernel, where nobody can be
   * refused and nobody is known to have gone away.
   */
  async function look(turn: () => Promise<void>): Promise<void> {
    const end = now() + Math.max(1, meanMs * LOOKING);
    for (let quiet = 0; quiet < 3 && now() < end; quiet++) {
      const before = arrived;
      await turn();
      if (arrived !== before) quiet = 0;
    }
  }

  function beginAnswers(): void {
    answers?.resolve();
    answers = undefined;
  }

  function take(): Promise<void> | undefined {
    const queued =
      running < places() ? undefined : new Promise<void>((resolve) => waiting.push(resolve));
    if (!queued) {
      // Idle time is no run's.
      if (running === 0) lastFinished = now();
      running += 1;
    }
    if (!turnEventLoop || meanMs < SLICE_MS) return queued;
    return queued ? queued.then(() => look(turnEventLoop)) : look(turnEventLoop);
  }

  function give(): void {
    const time = now();
    const taken = time - lastFinished;
    meanMs = meanMs === 0 ? taken : meanMs + WEIGHT * (taken - meanMs);
    lastFinished = time;
    running -= 1;
    while (waiting.length > 0 && running < places()) {
      running += 1;
      waiting.shift()?.();
    }
  }

  return {
    check,
    enter() {
      check();
      return take();
    },
    pause() {
      if (!turnEventLoop || now() - lastFinished < SLICE_MS) return undefined;
      give();
      // Whoever was let in is not refused any more.
      return turnEventLoop().then(take);
    },
    leave() {
      give();
      if (!turnEventLoop) return undefined;
      if (running === 0 || meanMs > SHORT_MS) {
        beginAnswers();
        return undefined;
      }
      if (!answers) {
        answers = Promise.withResolvers();
        void turnEventLoop().then(beginAnswers);
      }
      return answers.promise;
    },
  };
}
