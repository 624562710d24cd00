import { fromBase64 } from "../../wire/base64.ts";
import { countsOf } from "../image-segmentation/run-lengths.ts";
import type { Rle, SegmentAnswer } from "../image-segmentation/segments.ts";
import type { Box } from "../object-detection/detection.ts";
import { runsOfPng } from "./grey-png.ts";

// What rounding alone may change in answers about pictures, beside their scores: two runtimes round otherwise.

type Mask = SegmentAnswer["mask"];
export type MaskPair = readonly [Mask, Mask];

/** Of the pixels that two masks have together, so many may be in one alone: their edges move. One always may. */
const SHARE_APART = 0.01;
/** The sides of boxes are whole pixels. */
const PIXELS_APART = 1;
const SIDES = ["xmin", "ymin", "xmax", "ymax"] as const;

/** Whether two boxes are alike. Undefined where these are no boxes. */
export function boxesAgree(one: object, other: object): boolean | undefined {
  if (!isBox(one) || !isBox(other)) return undefined;
  return SIDES.every((side) => Math.abs(one[side] - other[side]) <= PIXELS_APART);
}

function isBox(value: object): value is Box {
  return (
    Object.keys(value).length === SIDES.length &&
    SIDES.every((side) => Number.isInteger((value as Partial<Box>)[side]))
  );
}

/** Two masks to compare with {@link masksAgree}. Undefined where these are none, or the same text. */
export function maskPair(key: string, one: unknown, other: unknown): MaskPair | undefined {
  if (key !== "mask") return undefined;
  if (isPng(one) && isPng(other)) return one === other ? undefined : [one, other];
  return isRle(one) && isRle(other) ? [one, other] : undefined;
}

function isPng(mask: unknown): mask is string {
  return typeof mask === "string" && mask.startsWith("iVBORw0KGgo");
}

function isRle(mask: unknown): mask is Rle {
  return typeof mask === "object" && mask !== null && "size" in mask && "counts" in mask;
}

/** Whether two masks have the same pixels, but for some at their edges. */
export async function masksAgree([one, other]: MaskPair): Promise<boolean> {
  const [mine, theirs] = [await runsOf(one), await runsOf(other)];
  if (!mine || mine.size !== theirs?.size) return false;
  const { apart, either } = overlap(mine.counts, theirs.counts);
  return apart <= Math.max(1, either * SHARE_APART);
}

async function runsOf(mask: Mask) {
  if (typeof mask !== "string") {
    const counts = countsOf(mask.counts);
    return counts && { size: mask.size.join(), counts };
  }
  const read = await runsOfPng(fromBase64(mask));
  return read && { size: `${read.height},${read.width}`, counts: read.counts };
}

/** How many pixels one of two masks has alone, and both together. Counts are outside and inside by turns. */
function overlap(one: readonly number[], other: readonly number[]) {
  let [apart, either] = [0, 0];
  let [at, beside] = [0, 0];
  let [left, leftBeside] = [one[0] ?? 0, other[0] ?? 0];
  while (at < one.length && beside < other.length) {
    const pixels = Math.min(left, leftBeside);
    const [isIn, isInBeside] = [at % 2 === 1, beside % 2 === 1];
    if (isIn !== isInBeside) apart += pixels;
    if (isIn || isInBeside) either += pixels;
    left -= pixels;
    leftBeside -= pixels;
    if (left === 0) left = one[++at] ?? 0;
    if (leftBeside === 0) leftBeside = other[++beside] ?? 0;
  }
  return { apart, either };
}
