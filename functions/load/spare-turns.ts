import { NearcastError } from "../errors.ts";
import type { Admission } from "./admission.ts";
import type { Turns } from "./turns.ts";

/** Work may block the process for so long before it lets others go first. */
const SLICE_MS = 5;

/**
 * The turns of work that nobody waits for, from now on. It takes no place from others: it only lets them arrive, and its
 * deadline is to end it then.
 */
export function createSpareTurns(now: () => number, turnEventLoop: () => Promise<void>): Turns {
  let turnedAt = now();

  function pause(): Promise<void> | undefined {
    if (now() - turnedAt < SLICE_MS) return undefined;
    return turnEventLoop().then(() => void (turnedAt = now()));
  }

  const admission: Admission = {
    check: () => undefined,
    enter: pause,
    enterAgain: pause,
    pause,
    leave: () => undefined,
    length: () => 0,
    isWaited: () => false,
    refusal,
  };
  return {
    transfer: { read: pause, goOn: async () => pause(), pause, breathe: pause },
    preparing: admission,
    elsewhere: admission,
    running: admission,
    overflow: refusal,
  };
}

function refusal(): NearcastError {
  return new NearcastError("overloaded", "Others go first.");
}
