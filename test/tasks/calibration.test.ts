import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { calibrationOf } from "../../functions/tasks/classification/calibration.ts";

interface Reference {
  bins: number;
  samples: { name: string; scores: number[]; hits: boolean[]; error: number; bound: number }[];
}

const path = join(import.meta.dirname, "../fixtures/calibration.json");
const { bins, samples } = JSON.parse(await readFile(path, "utf8")) as Reference;

test.each(samples)("$name: the error is scikit-learn's", ({ name, scores, hits, error, bound }) => {
  const found = calibrationOf(scores, hits);
  expect(found).toMatchObject({ bins, rows: scores.length });
  expect(found?.error).toBeCloseTo(error, 12);
  // Both draw at random.
  expect(Math.abs((found?.bound ?? NaN) - bound)).toBeLessThanOrEqual(0.07 * bound);
  expect((found?.error ?? NaN) <= (found?.bound ?? NaN)).toBe(name.endsWith("calibrated scores"));
});

test("without rows nothing is said", () => expect(calibrationOf([], [])).toBe(undefined));
