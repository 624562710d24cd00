import type { NearcastError } from "../errors.ts";
import { createArrivals } from "./arrivals.ts";
import type { Deadline } from "./deadline.ts";
import type { GoingOn } from "./going-on.ts";
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
  /**
   * For work in parts, when some are done. When the turn has lasted long, it lets others go first and waits for a turn to
   * go on.
   */
  pause(this: void, done: number): Promise<void> | undefined;
  /** Ends the turn. If it returns a promise, wait for it before answering the run. */
  leave(): Promise<void> | undefined;
  /** How many have a turn or wait for one. */
  length(): number;
  /** Whether others wait than those whose work goes on, and may have their turn soon. */
  isWaited(this: void): boolean;
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
/** Behind a turn that lasts longer than this, nobody begins soon. */
const LONG_TURN_MS = 20;
/** Runs up to this long are answered together. */
const SHORT_MS = 0.5;
/** The weight of the newest run in the mean. */
const WEIGHT = 0.1;
/** A run may take this many times the mean. */
const LONG_RUN = 1.5;

/**
 * A queue for the processor, first come, first served. Work in parts gives up its place between them. It measures how
 * long runs take. That decides how many may begin at once, and during an overload who is refused. Times are milliseconds
 * of the platform's clock.
 */
export function createAdmission(options: {
  now: () => number;
  overload: Overload;
  /** Runs that can be computed at once. */
  parallelism: number;
  /** Reads the requests that have arrived. Absent where a run does not block reading. */
  turnEventLoop: (() => Promise<void>) | undefined;
  /** Absent where work in parts lets nobody go first. */
  goingOn?: GoingOn | undefined;
  /** What a run is thought to take before any was measured. */
  firstMeanMs?: number;
}): Admission {
  const { now, overload, parallelism, turnEventLoop, goingOn, firstMeanMs = SLICE_MS } = options;
  const waiting: Waiter[] = [];
  /** How many are in the middle of work in parts and have no turn. */
  let paused = 0;
  const length = () => waiting.length + paused;
  const queue: Queue = { waiting: length, running: 0, meanMs: firstMeanMs };
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

  function take(deadline?: Pick<Deadline, "check">): Promise<void> | undefined {
    const turn =
      queue.running < places()
        ? undefined
        : new Promise<void>((begin, end) => waiting.push({ begin, end, deadline }));
    if (!turn) occupy();
    if (!arrivals || !isMeasured || queue.meanMs < SLICE_MS) return turn;
    return turn ? turn.then(() => arrivals.read(queue.meanMs)) : arrivals.read(queue.meanMs);
  }

  function occupy(): void {
    // Idle time is not part of a run.
    if (queue.running === 0) lastFinished = now();
    queue.running += 1;
  }

  function goOn(): void {
    paused -= 1;
    occupy();
  }

  function give(): void {
    const time = now();
    const taken = time - lastFinished;
    queue.meanMs = isMeasured ? queue.meanMs + WEIGHT * (taken - queue.meanMs) : taken;
    isMeasured = true;
    lastFinished = time;
    queue.running -= 1;
    while (queue.running < places()) {
      const next = waiting.shift();
      if (!next) return;
      if (isLate(next)) continue;
      queue.running += 1;
      next.begin();
    }
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
      return take(deadline);
    },
    enterAgain: () => take(),
    pause(done) {
      if (!goingOn || now() - lastFinished < SLICE_MS) return undefined;
      give();
      paused += 1;
      return goingOn.next(done).then(goOn);
    },
    leave() {
      give();
      if (!answers) return undefined;
      if (queue.running > 0 && queue.meanMs <= SHORT_MS) return answers.wait();
      answers.send();
      return undefined;
    },
    length: () => length() + queue.running,
    isWaited: () => waiting.length > 0 && now() - lastFinished < LONG_TURN_MS,
    refusal: () => overload.refusal(queue),
  };
}
