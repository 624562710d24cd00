import { expect } from "vitest";

/** Whole pixels: where a graph's number lies beside one, the last bit of a sum decides. */
const SIDES = new Set(["xmin", "ymin", "xmax", "ymax"]);

/**
 * Deep equality in which numbers may differ by `tolerance`, above 1 by that share: graphs round to 24 bits. Sides of boxes
 * may differ by a pixel.
 */
export function expectClose(actual: unknown, expected: unknown, tolerance: number): void {
  if (typeof expected === "number") {
    expect(actual).toBeTypeOf("number");
    expect(
      Math.abs((actual as number) - expected) / Math.max(1, Math.abs(expected)),
    ).toBeLessThanOrEqual(tolerance);
  } else if (typeof expected === "object" && expected !== null) {
    expect(Object.keys(actual as object).toSorted()).toEqual(Object.keys(expected).toSorted());
    for (const [key, value] of Object.entries(expected)) {
      const other = (actual as Record<string, unknown>)[key];
      if (SIDES.has(key)) expect(Math.abs(Number(other) - Number(value))).toBeLessThanOrEqual(1);
      else expectClose(other, value, tolerance);
    }
  } else expect(actual).toEqual(expected);
}

/** Tasks whose scores are made with `Math.exp`, whose last bits differ between versions of V8. */
const WITH_EXP = new Set(["text-ranking", "token-classification"]);

/** Deep equality of answers of one runtime in two processes: to the last bit where all numbers are the graph's. */
export function expectSame(task: string, actual: unknown, expected: unknown): void {
  if (WITH_EXP.has(task)) expectClose(actual, expected, 1e-15);
  else expect(actual).toEqual(expected);
}
