import { expect, test } from "vitest";
import { besides, compareAnswers, SAME, worse } from "../../cli/compare.ts";

const box = (xmin: number, score = 0.9) => [
  { label: "cat", score, box: { xmin, ymin: 0, xmax: 90, ymax: 80 } },
];
const mask = (counts: string) => [{ label: "sky", mask: { size: [100, 100], counts } }];
// Of 10,000 pixels the first 5,000 are outside, or 5,001, or 6,000.
const [HALF, NEARLY, LESS] = ["Xl4Xl4", "Yl4Wl4", "`k5Pm3"];

test.each<[string, unknown, unknown, string | undefined]>([
  ["a side that rounding moved over a pixel", box(12), box(13), undefined],
  ["a side two pixels apart", box(12), box(14), "output[0].box.xmin is 14, not 12"],
  ["a like box with another score", box(12), box(13, 0.8), "output[0].score is 0.8, not 0.9"],
  ["a mask with another edge", mask(HALF), mask(NEARLY), undefined],
  ["another mask", mask(HALF), mask(LESS), "output[0].mask has other pixels"],
  ["a mask that ends early", mask(HALF), mask("Xl4"), "output[0].mask has other pixels"],
  ["a mask that is none", mask(HALF), [{ label: "sky", mask: null }], "output[0].mask is null"],
])("%s", async (_, expected, actual, mismatch) => {
  const found = await compareAnswers(expected, actual, 1e-4);
  if (mismatch === undefined) expect(found).toEqual({ ...SAME, isRounded: true });
  else expect(found.mismatch).toContain(mismatch);
});

test("the same boxes and masks need no allowance", async () => {
  const same = [...box(12), ...mask(HALF)];
  expect(await compareAnswers(same, structuredClone(same), 1e-4)).toEqual(SAME);
  const beside = worse({ ...SAME, isRounded: true }, { largest: 1e-6, least: 1e-6 });
  expect(`largest difference ${beside.largest}${besides(beside.isRounded)}`).toBe(
    "largest difference 0.000001, besides sides of boxes a pixel apart or other edges of masks, as rounding makes them",
  );
});

test("the least tolerance is relative above 1, as the tolerance is", async () => {
  const found = await compareAnswers([0.5, 200], [0.6, 190], Infinity);
  expect(found).toEqual({ largest: 10, least: expect.closeTo(0.1, 9) as number });
  expect((await compareAnswers([0.5, 200], [0.6, 190], found.least)).mismatch).toBeUndefined();
  expect((await compareAnswers([0.5, 200], [0.6, 190], 0.099)).mismatch).toContain("output[0]");
});

/** A ranking of texts by their number and score. */
const ranked = (...items: [number, number][]) => items.map(([index, score]) => ({ index, score }));

test.each<[string, unknown, unknown, string | undefined]>([
  [
    "two texts that change places for nothing",
    ranked([9, 0.5002], [0, 0.5001], [4, 0.1]),
    ranked([0, 0.5002], [9, 0.5001], [4, 0.1]),
    undefined,
  ],
  [
    "two texts in the wrong order",
    ranked([9, 0.8], [0, 0.2]),
    ranked([0, 0.2], [9, 0.8]),
    "output[0].score is 0.2, not 0.8",
  ],
  [
    "the scores of others",
    ranked([9, 0.8], [0, 0.2]),
    ranked([0, 0.8], [9, 0.2]),
    "output with index 9.score is 0.2, not 0.8",
  ],
  [
    "a neighbour, whose number is nearly the same",
    ranked([20_000, 0.8]),
    ranked([20_001, 0.8]),
    "output with index 20000 is missing",
  ],
  [
    "a sparse vector with a number that is nearly 0",
    [{ index: 3, value: 2 }],
    [
      { index: 1, value: 1e-4 },
      { index: 3, value: 2 },
    ],
    undefined,
  ],
  [
    "a sparse vector with another number",
    [{ index: 3, value: 2 }],
    [{ index: 4, value: 2 }],
    "output with index 3.value is 0, not 2",
  ],
])("%s", async (_, expected, actual, mismatch) => {
  const found = await compareAnswers(expected, actual, 1e-3);
  if (mismatch === undefined) expect(found.mismatch).toBeUndefined();
  else expect(found.mismatch).toContain(mismatch);
  expect(found.largest).toBeLessThan(3);
});
