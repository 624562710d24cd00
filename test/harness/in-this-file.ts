import { expect } from "vitest";

const slow = expect.getState().testPath?.endsWith(".slow.test.ts") === true;

/**
 * The part of the variants (platforms, runtimes, cases) that this test file covers. `x.test.ts` covers the first one, or
 * the first `quick` ones, so that `npm test` stays short. `x.slow.test.ts` imports `x.test.ts`, and so runs the same
 * tests on the other variants.
 */
export function inThisFile<T>(variants: readonly T[], quick = 1): T[] {
  return slow ? variants.slice(quick) : variants.slice(0, quick);
}
