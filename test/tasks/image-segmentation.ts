import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decode } from "fast-png";
import { countsOf } from "../../functions/tasks/image-segmentation/run-lengths.ts";
import type { Rle, SegmentAnswer } from "../../functions/tasks/image-segmentation/segments.ts";

/** A label, COCO's run-length code of its mask, and its score where it has one. */
export type RecordedSegment = [label: string, counts: string, score?: number];

export interface RecordedSegments {
  model: string;
  parameters: Record<string, unknown>;
  /** For each picture. */
  rows: RecordedSegment[][];
  /** Of how many pixels of a picture, by its index, two segments are equally sure but for rounding. */
  undecided?: Record<number, number>;
}

export interface Recorded {
  /** In base64. */
  pictures: string[];
  cases: RecordedSegments[];
  /** Width and height of pictures, and those that MaskFormer's processors resize them to, by Pillow and by torchvision. */
  sizes: [number, number, number, number, number, number][];
}

export const folder = join(import.meta.dirname, "../fixtures/image-segmentation");

/** What make.py recorded. */
export async function recordedSegments(): Promise<Recorded> {
  const file = await readFile(join(folder, "recorded.json.gz"));
  return JSON.parse(gunzipSync(file).toString()) as Recorded;
}

/** A mask's size, and its pixels from the upper left corner along the rows: 1 inside. */
interface Mask {
  size: readonly number[];
  pixels: Uint8Array;
}

/** Reads a mask by another library than the one that wrote it. Throws for a PNG that is not grey of 8 bits, black and white. */
function maskOfPng(base64: string): Mask {
  const { width, height, channels, depth, data } = decode(Buffer.from(base64, "base64"));
  if (channels !== 1 || depth !== 8) throw new Error("it is not grey of 8 bits");
  const pixels = Uint8Array.from(data, (level) => {
    if (level !== 0 && level !== 255) throw new Error("it is not black and white");
    return level / 255;
  });
  return { size: [height, width], pixels };
}

function maskOfRle({ size, counts }: Rle): Mask {
  const [height, width] = size;
  const pixels = new Uint8Array(height * width);
  let place = 0;
  for (const [index, count] of (countsOf(counts) ?? []).entries())
    for (const end = place + count; place < end; place++)
      if (index % 2 === 1) pixels[(place % height) * width + Math.floor(place / height)] = 1;
  if (place !== pixels.length) throw new Error("its counts are not all pixels");
  return { size, pixels };
}

export function maskOf({ mask }: Pick<SegmentAnswer, "mask">): Mask {
  return typeof mask === "string" ? maskOfPng(mask) : maskOfRle(mask);
}

/**
 * How many of a picture's pixels are in another segment than was recorded. Segments must have the recorded labels in their
 * order, and scores within 1e-4; else it throws. Of a segment that has no pixel on one of the sides, all count.
 */
export function unlikePixels(
  made: readonly SegmentAnswer[],
  recorded: readonly RecordedSegment[],
): number {
  const size = made[0] && maskOf(made[0]).size;
  if (!size) return recorded.length > 0 ? Infinity : 0;
  const count = (size[0] ?? 0) * (size[1] ?? 0);
  const left = [...recorded];
  let unlike = 0;
  for (const segment of made) {
    const at = left.findIndex(
      ([label, , score]) =>
        label === segment.label &&
        (score === undefined
          ? segment.score === undefined
          : Math.abs(score - (segment.score ?? -1)) < 1e-4),
    );
    const { pixels } = maskOf(segment);
    const [found] = at < 0 ? [] : left.splice(at, 1);
    const wanted = found
      ? maskOfRle({ size: size as Rle["size"], counts: found[1] }).pixels
      : new Uint8Array(count);
    for (let place = 0; place < count; place++) if (pixels[place] !== wanted[place]) unlike++;
  }
  for (const [, counts] of left)
    unlike += maskOfRle({ size: size as Rle["size"], counts }).pixels.filter(Boolean).length;
  return unlike;
}
