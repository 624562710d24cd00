import { createAdmission, type Admission } from "./admission.ts";
import type { GoingOn } from "./going-on.ts";
import type { Overload } from "./overload.ts";

/**
 * Turns to read a body and to write an answer. Both block the process: a long JSON or a compressed body takes tens of
 * milliseconds. Many connections can send such bodies in one turn of the event loop. A request that arrives then would
 * wait for all of them. A turn ends by itself when the event loop turns.
 */
export interface TransferTurns {
  /** Waits for a turn to read a long body, or throws `overloaded`. */
  read(): Promise<void> | undefined;
  /** Lets others go first, and waits for a turn to go on with a body. */
  goOn(): Promise<void>;
  /** For an answer in parts, when some are done. Lets others go first when this turn of the event loop has lasted long. */
  pause(done: number): Promise<void> | undefined;
  /** The same while others wait for what the request holds: they go first that wait for nothing of it. */
  breathe(): Promise<void> | undefined;
}

/** The time for a body that is long enough to wait, until some were measured. */
const FIRST_MEAN_MS = 1;
/** So much of a turn of the event loop is for parts of answers. */
const SLICE_MS = 5;

/** The options are those of {@link createAdmission}. */
export function createTransferTurns(options: {
  now: () => number;
  overload: Overload;
  turnEventLoop: () => Promise<void>;
  goingOn: GoingOn;
}): TransferTurns & Pick<Admission, "isWaited"> {
  const { now, turnEventLoop, goingOn } = options;
  const admission = createAdmission({ ...options, parallelism: 1, firstMeanMs: FIRST_MEAN_MS });
  /** When the first part of this turn of the event loop began. */
  let began: number | undefined;

  function leave(): void {
    void turnEventLoop().then(() => void admission.leave());
  }

  /** Counts the time of this turn of the event loop from now on, unless it is counted already. */
  function count(): void {
    if (began !== undefined) return;
    began = now();
    void turnEventLoop().then(() => (began = undefined));
  }

  function pauseIfLong(next: () => Promise<void>): Promise<void> | undefined {
    count();
    return now() - (began ?? 0) < SLICE_MS ? undefined : next().then(count);
  }

  return {
    read() {
      const turn = admission.enter();
      if (turn) return turn.then(leave);
      leave();
      return undefined;
    },
    goOn: () => goingOn.next(0),
    pause: (done) => pauseIfLong(() => goingOn.next(done)),
    breathe: () => pauseIfLong(turnEventLoop),
    isWaited: admission.isWaited,
  };
}
