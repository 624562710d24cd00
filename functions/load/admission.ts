import type { NearcastError } from "../errors.ts";
import { createArrivals } from "./arrivals.ts";
import type { Deadline } from "./deadline.ts";
import { createJointAnswers } from "./joint-answers.ts";
import type { Overload, Queue } from "./overload.ts";

/** Turns for work that shares the processor. */
export interface Admission {
  /** Throws `overloaded` when a new request would wait too long for its turn. */
  check(): void;
  /**
   * Waits for a turn, or throws `overloaded`. Rejects with what the deadline throws, also when the turn comes too late for
   * a usual run. After the run, call `leave`.
   */
  enter(deadline?: Pick<Deadline, "check">): Promise<void> | undefined;
  /** Like `enter`, for a request that was let in before: it is not refused. */
  enterAgain(): Promise<void> | undefined;
  /** For work in parts. When the turn has lasted long, it lets others go first and waits for the next turn. */
  pause(this: void): Promise<void> | undefined;
  /** Ends the turn. If it returns a promise, wait for it before answering the run. */
  leave(): Promise<void> | undefined;
  /** How many have a turn or wait for one. */
  length(): number;
  /** What a request is told that finds no place. */
  refusal(): NearcastError;
}

interface Waiter {
  begin: () => void;
  end: (error: unknown) => void;
  /** Absent for one that had a turn before. */
  deadline: Pick<Deadline, "check"> | undefined;
}

/** Runs may begin at once while their times add up to this. */
const SLICE_MS = 5;
/** Runs up to this long are answered together. */
const SHORT_MS = 0.5;
/** The weight of the newest run in the mean. */
const WEIGHT = 0.1;
/** A run may take this many times the mean. */
const LONG_RUN = 1.5;
/** One turn in this many is for work that goes on, however many new requests wait. */
const GOING_ON_EVERY = 4;

/**
 * A queue for the processor, first come, first served. Work in parts that goes on lets new requests go first, since most
 * of them are short: a few long requests would otherwise make all others wait for a part of each. It measures how long
 * runs take. That decides how many may begin at once, and during an overload who is refused. Times are milliseconds of
 * the platform's clock.
 */
export function createAdmission(options: {
  now: () => number;
  overload: Overload;
  /** Runs that can be computed at once. */
  parallelism: number;
  /** Reads the requests that have arrived. Absent where a run does not block reading. */
  turnEventLoop: (() => Promise<void>) | undefined;
  /** What a run is thought to take before any was measured. */
  firstMeanMs?: number;
}): Admission {
  const { now, overload, parallelism, turnEventLoop, firstMeanMs = SLICE_MS } = options;
  const waiting: Waiter[] = [];
  /** Those in the middle of work in parts. */
  const goingOn: Waiter[] = [];
  const length = () => waiting.length + goingOn.length;
  const queue: Queue = { waiting: length, running: 0, meanMs: firstMeanMs };
  let newTurns = 0;
  let isMeasured = false;
  let lastFinished = 0;
  const arrivals = turnEventLoop && createArrivals({ now, turnEventLoop });
  const answers = turnEventLoop && createJointAnswers(turnEventLoop);

  /** How many runs may begin. Runs on other threads: twice as many as those threads compute at once. */
  function places(): number {
    const least = turnEventLoop ? 1 : parallelism * 2;
    return Math.max(least, (parallelism * SLICE_MS) / queue.meanMs);
  }

  function check(): void {
    arrivals?.note();
    if (overload.isFull(queue)) throw overload.refusal(queue);
  }

  function take(line: Waiter[], deadline?: Pick<Deadline, "check">): Promise<void> | undefined {
    const turn =
      queue.running < places()
        ? undefined
        : new Promise<void>((begin, end) => line.push({ begin, end, deadline }));
    if (!turn) {
      // Idle time is not part of a run.
      if (queue.running === 0) lastFinished = now();
      queue.running += 1;
    }
    if (!arrivals || !isMeasured || queue.meanMs < SLICE_MS) return turn;
    return turn ? turn.then(() => arrivals.read(queue.meanMs)) : arrivals.read(queue.meanMs);
  }

  function give(): void {
    const time = now();
    const taken = time - lastFinished;
    queue.meanMs = isMeasured ? queue.meanMs + WEIGHT * (taken - queue.meanMs) : taken;
    isMeasured = true;
    lastFinished = time;
    queue.running -= 1;
    while (queue.running < places()) {
      const next = nextWaiter();
      if (!next) return;
      if (isLate(next)) continue;
      queue.running += 1;
      next.begin();
    }
  }

  function nextWaiter(): Waiter | undefined {
    const areBoth = goingOn.length > 0 && waiting.length > 0;
    if (areBoth && ++newTurns < GOING_ON_EVERY) return waiting.shift();
    newTurns = 0;
    return goingOn.shift() ?? waiting.shift();
  }

  /**
   * Ends the wait of a request that a run would not help any more. Otherwise each run of a long queue could be one that
   * ends just after its deadline.
   */
  function isLate({ deadline, end }: Waiter): boolean {
    try {
      deadline?.check(queue.meanMs * parallelism * LONG_RUN);
      return false;
    } catch (error) {
      end(error);
      return true;
    }
  }

  return {
    check,
    enter(deadline) {
      check();
      return take(waiting, deadline);
    },
    enterAgain: () => take(waiting),
    pause() {
      if (!turnEventLoop || now() - lastFinished < SLICE_MS) return undefined;
      give();
      return turnEventLoop().then(() => take(goingOn));
    },
    leave() {
      give();
      if (!answers) return undefined;
      if (queue.running > 0 && queue.meanMs <= SHORT_MS) return answers.wait();
      answers.send();
      return undefined;
    },
    length: () => length() + queue.running,
    refusal: () => overload.refusal(queue),
  };
}
