import { fromBase64 } from "../../wire/base64.ts";
import { countPieces } from "../image-segmentation/run-lengths.ts";
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

/** Whether these are two boxes that rounding alone may set apart. */
export function boxesAgree(one: object, other: object): boolean {
  return (
    isBox(one) &&
    isBox(other) &&
    SIDES.every((side) => Math.abs(one[side] - other[side]) <= PIXELS_APART)
  );
}

function isBox(value: object): value is Box {
  return (
    Object.keys(value).length === SIDES.length &&
    SIDES.every((side) => Number.isInteger((value as Partial<Box>)[side]))
  );
}

/** Two masks to compare with {@link pixelsApart}. Undefined where these are none, or the same ones. */
export function maskPair(key: string, one: unknown, other: unknown): MaskPair | undefined {
  if (key !== "mask") return undefined;
  if (isPng(one) && isPng(other)) return one === other ? undefined : [one, other];
  if (!isRle(one) || !isRle(other)) return undefined;
  const isSame = one.counts === other.counts && String(one.size) === String(other.size);
  return isSame ? undefined : [one, other];
}

function isPng(mask: unknown): mask is string {
  return typeof mask === "string" && mask.startsWith("iVBORw0KGgo");
}

function isRle(mask: unknown): mask is Rle {
  return typeof mask === "object" && mask !== null && "size" in mask && "counts" in mask;
}

/** How masks are compared. */
export interface Looking {
  /** So many pixels are still compared. A mask that has more is taken as alike. */
  pixels: number;
  /** Called between pieces of masks. What it throws ends the comparing. */
  pause: () => Promise<void>;
}

/**
 * How many pixels one of two masks has alone. Undefined where these are more than some at their edges, and where one of
 * the masks is damaged.
 */
export async function pixelsApart(
  [one, other]: MaskPair,
  looking?: Looking,
): Promise<number | undefined> {
  const [mine, theirs] = [runsOf(one), runsOf(other)];
  if (!mine || mine.height !== theirs?.height || mine.width !== theirs.width) return undefined;
  const pixels = mine.height * mine.width;
  if (looking) {
    if (pixels > looking.pixels) return 0;
    looking.pixels -= pixels;
  }
  const places = [placeIn(mine), placeIn(theirs)] as const;
  try {
    return await walk(places, pixels, looking?.pause);
  } finally {
    for (const { pieces } of places) await pieces.return(undefined);
  }
}

function runsOf(mask: Mask) {
  if (typeof mask === "string") {
    try {
      return runsOfPng(fromBase64(mask));
    } catch {
      return undefined;
    }
  }
  const { size, counts } = mask as { size: unknown; counts: unknown };
  if (!Array.isArray(size)) return undefined;
  const [height, width] = size as Rle["size"];
  if (typeof counts === "string") return { height, width, pieces: countPieces(counts) };
  return Array.isArray(counts) ? { height, width, pieces: [counts as number[]] } : undefined;
}

/** Where the comparing is in a mask. */
interface Place {
  pieces: AsyncGenerator<readonly number[], void, undefined>;
  piece: readonly number[];
  /** The count in the piece. Counts are outside and inside by turns. */
  at: number;
  /** Pixels of the count that were not compared yet. */
  left: number;
}

function placeIn({ pieces }: Pick<NonNullable<ReturnType<typeof runsOf>>, "pieces">): Place {
  return { pieces: whole(), piece: [], at: -1, left: 0 };

  async function* whole() {
    try {
      yield* pieces;
    } catch {
      // No other mask has as many pixels.
      yield [Infinity];
    }
  }
}

/** Compares two masks, and stops as soon as they have too many pixels apart. */
async function walk(
  [mine, theirs]: readonly [Place, Place],
  pixels: number,
  pause?: () => Promise<void>,
): Promise<number | undefined> {
  let [apart, either, unseen] = [0, 0, pixels];
  for (;;) {
    if (!goOn(mine) || !goOn(theirs)) {
      const [isMore, isMoreBeside] = [await read(mine, pause), await read(theirs, pause)];
      if (!isMore || !isMoreBeside)
        return isMore === isMoreBeside && unseen === 0 ? apart : undefined;
    }
    const count = Math.min(mine.left, theirs.left);
    if (!(count >= 0 && count <= unseen)) return undefined;
    const [isIn, isInBeside] = [mine.at % 2 === 1, theirs.at % 2 === 1];
    if (isIn !== isInBeside) apart += count;
    if (isIn || isInBeside) either += count;
    mine.left -= count;
    theirs.left -= count;
    unseen -= count;
    if (apart > Math.max(1, (either + unseen) * SHARE_APART)) return undefined;
  }
}

/** Goes on to the next pixel of the piece. False where it has none. */
function goOn(place: Place): boolean {
  while (place.left === 0) {
    if (place.at + 1 >= place.piece.length) return false;
    place.left = place.piece[++place.at]!;
  }
  return true;
}

/** Goes on to the next pixel, and reads pieces until there is one. False at the end of the mask. */
async function read(place: Place, pause?: () => Promise<void>): Promise<boolean> {
  while (!goOn(place)) {
    await pause?.();
    const next = await place.pieces.next();
    if (next.done) return false;
    place.piece = next.value;
    place.at = -1;
  }
  return true;
}
