import { createDeferred } from "./deferred.ts";

/**
 * Gives the work's value, or that of `onLate` when the work takes too long. Rejects with an error that `onLate` throws.
 * Late work goes on, and its failure is ignored.
 *
 * @example await within(store.get(key), 1000, () => undefined)
 */
export async function within<T, Late>(
  work: Promise<T>,
  milliseconds: number,
  onLate: () => Late,
  startTimer: StartTimer = startTimeout,
): Promise<T | Late> {
  const over = createDeferred<void>();
  const stop = startTimer(milliseconds, over.resolve);
  try {
    return await Promise.race([work, over.promise.then(onLate)]);
  } finally {
    stop();
  }
}

/** Calls `onOver` after some time. The returned function prevents that. */
export type StartTimer = (milliseconds: number, onOver: () => void) => () => void;

function startTimeout(milliseconds: number, onOver: () => void): () => void {
  const timer = setTimeout(onOver, milliseconds);
  return () => clearTimeout(timer);
}
