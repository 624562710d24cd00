import { expect } from "vitest";

const slow = expect.getState().testPath?.endsWith(".slow.test.ts") === true;

/**
 * The part of the platforms that this test file covers. `x.test.ts` covers the first one, so that `npm test` stays short.
 * `x.slow.test.ts` imports `x.test.ts`, and so runs the same tests on the other platforms.
 */
export function inThisFile<T>(platforms: readonly T[]): T[] {
  return slow ? platforms.slice(1) : platforms.slice(0, 1);
}
