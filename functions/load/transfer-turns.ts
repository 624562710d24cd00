import { createAdmission } from "./admission.ts";
import type { Overload } from "./overload.ts";

/**
 * Turns to read a body and to write an answer. Both block the process: a long JSON or a compressed body takes tens of
 * milliseconds. Many connections can send such bodies in one turn of the event loop. A request that arrives then would
 * wait for all of them. A turn ends by itself when the event loop turns.
 */
export interface TransferTurns {
  /** Waits for a turn to read a long body, or throws `overloaded`. */
  read(): Promise<void> | undefined;
  /** Lets others go first, and waits for a turn to go on with a body, or with the next piece of an answer. */
  goOn(): Promise<void>;
}

/** The time for a body that is long enough to wait, until some were measured. */
const FIRST_MEAN_MS = 1;

/** The options are those of {@link createAdmission}. */
export function createTransferTurns(options: {
  now: () => number;
  overload: Overload;
  turnEventLoop: () => Promise<void>;
}): TransferTurns {
  const { turnEventLoop } = options;
  const admission = createAdmission({ ...options, parallelism: 1, firstMeanMs: FIRST_MEAN_MS });

  function leave(): void {
    void turnEventLoop().then(() => void admission.leave());
  }

  return {
    read() {
      const turn = admission.enter();
      if (turn) return turn.then(leave);
      leave();
      return undefined;
    },
    async goOn() {
      await turnEventLoop();
      await admission.enterAgain();
      leave();
    },
  };
}
