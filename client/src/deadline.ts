import { NearcastClientError, type RequestIds } from "./error.ts";

/** Timers of all runtimes hold 31 bits. A longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The time until which the caller waits for an answer. */
export interface Deadline {
  /** Aborted with the caller's reason, or with the error `timeout`. */
  signal: AbortSignal;
  /** Infinity without a timeout. */
  leftMs: () => number;
  /** Resolves after this many milliseconds. Rejects with the signal's reason. */
  wait: (ms: number) => Promise<void>;
  /** Removes the timer and the listener on the caller's signal. */
  end: () => void;
}

/**
 * Joins a caller's signal and timeout. Browsers that are still in use lack `AbortSignal.any`. The error `timeout` gets
 * the ids.
 */
export function createDeadline(
  outer: AbortSignal | undefined,
  timeoutMs: number = Infinity,
  ids?: RequestIds,
): Deadline {
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, not ${timeoutMs}`);
  const controller = new AbortController();
  const { signal } = controller;
  const follow = () => controller.abort(outer?.reason);
  const endsAt = Date.now() + timeoutMs;
  const timer =
    timeoutMs <= LONGEST_TIMER_MS &&
    setTimeout(() => {
      const detail = `No answer within ${timeoutMs} ms.`;
      controller.abort(new NearcastClientError("timeout", detail, ids));
    }, timeoutMs);
  if (outer?.aborted) follow();
  outer?.addEventListener("abort", follow);
  return {
    signal,
    leftMs: () => endsAt - Date.now(),
    async wait(ms) {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const stop = () => {
          clearTimeout(waiting);
          reject(signal.reason);
        };
        const waiting = setTimeout(() => {
          signal.removeEventListener("abort", stop);
          resolve();
        }, ms);
        signal.addEventListener("abort", stop);
      });
    },
    end() {
      if (timer !== false) clearTimeout(timer);
      outer?.removeEventListener("abort", follow);
    },
  };
}
