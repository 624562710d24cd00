import { createDeferred } from "./deferred.ts";

/**
 * The value of the work, or of `onLate` when the work is not done in time (what `onLate` throws rejects). Late
 * work goes on, and its failure is dropped.
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

/** Calls `onOver` after a time, unless the returned function is called before. */
export type StartTimer = (milliseconds: number, onOver: () => void) => () => void;

function startTimeout(milliseconds: number, onOver: () => void): () => void {
  const timer = setTimeout(onOver, milliseconds);
  return () => clearTimeout(timer);
}
