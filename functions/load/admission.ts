import { createArrivals } from "./arrivals.ts";
import { createJointAnswers } from "./joint-answers.ts";
import { createShedding, type Queue } from "./shedding.ts";

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
  /** Gives the turn away. If it gives a promise, wait for that before the run is answered. */
  leave(): Promise<void> | undefined;
}

/** Runs that take this long together may begin at once. */
const SLICE_MS = 5;
/** Runs that take no longer than this are answered together. */
const SHORT_MS = 0.5;
/** How much the newest run weighs in the mean. */
const WEIGHT = 0.1;

/**
 * A queue for the processor, first come, first served. It measures how long runs take, and from that follows how
 * many may begin at once and who is refused. Times are milliseconds of the platform's clock.
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
  const queue: Queue = { waiting, running: 0, meanMs: 0 };
  let lastFinished = 0;
  const shed = createShedding(queue, { now, maxQueueMs });
  const arrivals = turnEventLoop && createArrivals({ now, turnEventLoop });
  const answers = turnEventLoop && createJointAnswers(turnEventLoop);

  /** How many runs may be begun; twice what is computed, where threads of their own take them. */
  function places(): number {
    const { meanMs } = queue;
    const least = turnEventLoop ? 1 : parallelism * 2;
    return meanMs === 0 ? Infinity : Math.max(least, (parallelism * SLICE_MS) / meanMs);
  }

  function check(): void {
    arrivals?.note();
    shed();
  }

  function take(): Promise<void> | undefined {
    const turn =
      queue.running < places() ? undefined : new Promise<void>((resolve) => waiting.push(resolve));
    if (!turn) {
      // Time in which nothing ran is not a part of any run.
      if (queue.running === 0) lastFinished = now();
      queue.running += 1;
    }
    if (!arrivals || queue.meanMs < SLICE_MS) return turn;
    return turn ? turn.then(() => arrivals.read(queue.meanMs)) : arrivals.read(queue.meanMs);
  }

  function give(): void {
    const time = now();
    const taken = time - lastFinished;
    queue.meanMs = queue.meanMs === 0 ? taken : queue.meanMs + WEIGHT * (taken - queue.meanMs);
    lastFinished = time;
    queue.running -= 1;
    while (waiting.length > 0 && queue.running < places()) {
      queue.running += 1;
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
      // Who was let in is not refused any more.
      return turnEventLoop().then(take);
    },
    leave() {
      give();
      if (!answers) return undefined;
      if (queue.running > 0 && queue.meanMs <= SHORT_MS) return answers.wait();
      answers.send();
      return undefined;
    },
  };
}
