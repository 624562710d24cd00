import type { Parts } from "./define.ts";

/** A part that is done elsewhere: others have their turns while it waits. Throws or returns what the promise settles to. */
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
