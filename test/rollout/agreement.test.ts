import { expect, test } from "vitest";
import { agreeingTensors, disagreements } from "../../functions/rollout/agreement.ts";
import { writeMasks } from "../../functions/tasks/image-segmentation/masks.ts";
import { NONE } from "../../functions/tasks/image-segmentation/segments.ts";
import { greyPng } from "../../functions/tasks/image/grey-png.ts";
import { toBase64 } from "../../functions/wire/base64.ts";
import { TensorJson } from "../../functions/wire/json-pieces.ts";
import { done } from "../tasks/parts.ts";

const pause = async () => undefined;
const gone = () => Promise.reject(new Error("Somebody came."));
const tolerance = { absolute: 0.05, relative: 0.05 };
const flower = (label: string, score: number) => ({ label, score, scores: { [label]: score } });
const tensor = (
  datatype: "FP32" | "FP16" | "INT64",
  data: Float32Array | Uint16Array | BigInt64Array,
) => ({ datatype, shape: [data.length], data }) as const;
const json = (...values: number[]) =>
  new TensorJson(tensor("FP32", Float32Array.from(values)), "nested");

const boxed = (xmin: number) => ({
  label: "a",
  score: 0.9,
  box: { xmin, ymin: 5, xmax: 200, ymax: 200 },
});

const RLE = { encoding: "rle" } as const;
const WIDTH = 400;

/** A segment of so many pixels of the first row. */
async function masked(
  count: number,
  { encoding, label = "a", height = 1 }: { encoding?: "rle"; label?: string; height?: number } = {},
) {
  const numbers = new Uint16Array(WIDTH * height).fill(NONE).fill(0, 0, count);
  const map = { width: WIDTH, height, numbers };
  const parts = writeMasks(map, [{ number: 0, label }], {
    encoding: encoding ?? "png",
    expect: () => undefined,
  });
  return (await done(parts)).value;
}

const coded = (counts: unknown) => [{ label: "a", mask: { size: [10, 10], counts } }];

/** The segment with another end of its PNG. */
function damaged(segments: unknown[], end: string) {
  const [{ label, mask }] = segments.flat() as [{ label: string; mask: string }];
  return [[{ label, mask: mask.slice(0, 64) + end }]];
}

test.each<[string, unknown, unknown, boolean]>([
  ["the same label, near scores", flower("a", 0.9), flower("a", 0.82), true],
  ["the same label, other scores", flower("a", 0.9), flower("a", 0.7), false],
  ["another label", flower("a", 0.5), flower("b", 0.5), false],
  ["near values", { value: 100 }, { value: 104 }, true],
  ["far values", { value: 100 }, { value: 106 }, false],
  ["small values", 0, 0.04, true],
  ["near vectors", [0.6, 0.8], [0.62, 0.78], true],
  ["far vectors of small numbers", [0.6, 0.8], [0.8, 0.6], false],
  ["vectors of another length", [0.6, 0.8], [0.6, 0.8, 0], false],
  ["an absent member and undefined", { value: 1, unit: undefined }, { value: 1 }, true],
  ["another member", { value: 1 }, { value: 1, unit: "m" }, false],
  ["a list and an object", [], {}, false],
  ["missing numbers", { value: NaN }, { value: NaN }, true],
  ["a missing number and another", { value: NaN }, { value: 1 }, false],
  ["infinite and finite", { value: Infinity }, { value: 1 }, false],
  ["infinite both", [Infinity, 1], [Infinity, 1.01], true],
  ["tensors as JSON", { y: json(1, 2) }, { y: json(1, 2.05) }, true],
  ["other tensors as JSON", { y: json(1, 2) }, { y: json(1, 3) }, false],
  ["text", "yes", "yes", true],
  ["other text", "yes", "no", false],
  ["boxes a pixel apart", boxed(10), boxed(11), true],
  ["boxes within the tolerance", boxed(100), boxed(105), true],
  ["boxes beyond a pixel and the tolerance", boxed(10), boxed(12), false],
  ["another label in a like box", boxed(10), { ...boxed(11), label: "b" }, false],
  ["masks with another edge", await masked(200), await masked(201), true],
  ["masks of one pixel and of two", await masked(1), await masked(2), true],
  ["masks of other sizes", await masked(200), await masked(203), false],
  ["like masks of other labels", await masked(200), await masked(201, { label: "b" }), false],
  ["masks of other pictures", await masked(200), await masked(200, { height: 2 }), false],
  ["run lengths with another edge", await masked(200, RLE), await masked(201, RLE), true],
  ["other run lengths", await masked(200, RLE), await masked(203, RLE), false],
  ["run lengths that end early", coded([20, 60, 20]), coded([]), false],
  ["run lengths that end early, beside others", coded([]), coded([20, 60, 20]), false],
  ["run lengths of too many pixels", coded([20, 60, 20]), coded([20, 60, 21]), false],
  ["run lengths below zero", coded([20, 60, 20]), coded([20, 60, 25, -5]), false],
  ["run lengths with an end of no pixels", coded([20, 60, 20]), coded([20, 60, 20, 0]), true],
  ["run lengths that are no text of a code", coded("d0l1d0"), coded("d0l1\u007f"), false],
  ["a PNG that is no base64", await masked(200), damaged(await masked(201), "!!!!"), false],
  ["a PNG that is cut off", await masked(200), damaged(await masked(201), ""), false],
  ["a PNG and run lengths", await masked(200), await masked(200, RLE), false],
])("%s", async (_, stable, other, agree) => {
  expect(await disagreements([stable], [other], tolerance, pause)).toBe(agree ? 0 : 1);
});

test("all rows differ where there are not as many", async () => {
  expect(await disagreements([1, 2, 3], [1, 2], tolerance, pause)).toBe(3);
  expect(await disagreements([1, 2, 3], undefined, tolerance, pause)).toBe(3);
  expect(await disagreements([1, 2, 3], [1, 2, 4], tolerance, pause)).toBe(1);
});

const ids = (...values: bigint[]) => [{ y: tensor("INT64", BigInt64Array.from(values)) }];
const half = (bits: number) => [{ y: tensor("FP16", Uint16Array.of(bits)) }];

test("whole numbers of tensors must be the same, and others near", () => {
  expect(agreeingTensors(ids(100n, 7n), ids(100n, 7n), tolerance)).toBe(true);
  expect(agreeingTensors(ids(100n, 7n), ids(101n, 7n), tolerance)).toBe(false);
  // 1 and 1.0009765625, then 2.
  expect(agreeingTensors(half(0x3c00), half(0x3c01), tolerance)).toBe(true);
  expect(agreeingTensors(half(0x3c00), half(0x4000), tolerance)).toBe(false);
  expect(agreeingTensors(half(0x3c00), [], tolerance)).toBe(false);
  expect(agreeingTensors(half(0x3c00), [{ x: half(0x3c00)[0]!.y }], tolerance)).toBe(false);
});

/** A mask of 2000 × 2000 pixels, black and white by turns, with so many first pixels inverted. */
async function chequered(inverted = 0) {
  const width = 2000;
  const png = await greyPng({ width, height: width }, (from, to) => {
    const rows = new Uint8Array((to - from) * (width + 1));
    for (let at = 0; at < rows.length; at++) {
      const [row, column] = [from + Math.floor(at / (width + 1)), at % (width + 1)];
      const isInverted = row * width + column <= inverted;
      if (column > 0) rows[at] = (column % 2 === 0) === isInverted ? 0 : 255;
    }
    return rows;
  });
  return { mask: toBase64(png) };
}

test("masks are compared in pieces, up to 16 million pixels of a copy, and no longer than they may agree", async () => {
  const [one, like, other] = [await chequered(), await chequered(9), await chequered(4_000_000)];
  let pauses = 0;
  const counted = async () => void pauses++;
  expect(await disagreements([one], [like], tolerance, counted)).toBe(0);
  expect(pauses).toBeGreaterThan(100);
  const whole = pauses;
  pauses = 0;
  expect(await disagreements([one], [other], tolerance, counted)).toBe(1);
  expect(pauses).toBeLessThan(whole / 10);
  pauses = 0;
  // Four others are found, and the fifth is not looked at.
  expect(await disagreements(Array(5).fill(one), Array(5).fill(other), tolerance, counted)).toBe(4);
  await expect(disagreements([one], [like], tolerance, gone)).rejects.toThrow("Somebody came.");
});
