import type { Parts } from "./define.ts";

/**
 * A part that another thread does. Others have their turns meanwhile. Returns the promise's value, or throws what it
 * rejects with.
 */
export function* elsewhere<T>(work: () => Promise<T>): Parts<T> {
  let settled: { value: T } | { error: unknown } | undefined;
  yield () =>
    work().then(
      (value) => void (settled = { value }),
      (error: unknown) => void (settled = { error }),
    );
  if (!settled) throw new Error("The work was not waited for.");
  if ("error" in settled) throw settled.error;
  return settled.value;
}
