import { createArrivals } from "./arrivals.ts";
import { createJointAnswers } from "./joint-answers.ts";
import { createShedding, type Queue } from "./shedding.ts";

/** Turns for work that shares the processor. */
export interface Admission {
  /** Throws `overloaded` when a new request would wait too long for its turn. */
  check(): void;
  /** Waits for a turn, or throws `overloaded`. After the run, call `leave`. */
  enter(): Promise<void> | undefined;
  /** Like `enter`, for a request that was let in before: it is not refused. */
  enterAgain(): Promise<void> | undefined;
  /** For work in parts. When the turn has lasted long, it lets others go first and waits for the next turn. */
  pause(): Promise<void> | undefined;
  /** Ends the turn. If it returns a promise, wait for it before answering the run. */
  leave(): Promise<void> | undefined;
}

/** Runs may begin at once while their times add up to this. */
const SLICE_MS = 5;
/** Runs up to this long are answered together. */
const SHORT_MS = 0.5;
/** The weight of the newest run in the mean. */
const WEIGHT = 0.1;

/**
 * A queue for the processor, first come, first served. It measures how long runs take. That decides how many may
 * begin at once and who is refused. Times are milliseconds of the platform's clock.
 */
export function createAdmission(options: {
  now: () => number;
  /** Runs that can be computed at once. */
  parallelism: number;
  maxQueueMs: number;
  /** Reads the requests that have arrived. Absent where a run does not block reading. */
  turnEventLoop: (() => Promise<void>) | undefined;
  /** What a run is thought to take before any was measured. By default all may begin at once until then. */
  firstMeanMs?: number;
}): Admission {
  const { now, parallelism, maxQueueMs, turnEventLoop, firstMeanMs = 0 } = options;
  const waiting: (() => void)[] = [];
  const queue: Queue = { waiting, running: 0, meanMs: firstMeanMs };
  let lastFinished = 0;
  const shed = createShedding(queue, { now, maxQueueMs });
  const arrivals = turnEventLoop && createArrivals({ now, turnEventLoop });
  const answers = turnEventLoop && createJointAnswers(turnEventLoop);

  /** How many runs may begin. Runs on other threads: twice as many as those threads compute at once. */
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
      // Idle time is not part of a run.
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
    enterAgain: take,
    pause() {
      if (!turnEventLoop || now() - lastFinished < SLICE_MS) return undefined;
      give();
      // A request that was let in is not refused later.
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
