import { expect, test } from "vitest";
import { compareAnswers } from "../../cli/compare.ts";

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
  ["a mask that is none", mask(HALF), [{ label: "sky", mask: null }], "output[0].mask is null"],
])("%s", async (_, expected, actual, mismatch) => {
  const found = await compareAnswers(expected, actual, 1e-4);
  if (mismatch === undefined) expect(found).toEqual({ largest: 0 });
  else expect(found.mismatch).toContain(mismatch);
});
