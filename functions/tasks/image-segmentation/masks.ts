import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { toBase64 } from "../../wire/base64.ts";
import type { Parts } from "../define.ts";
import { elsewhere } from "../elsewhere.ts";
import { greyPng, isSmall, type RowsOf } from "../image/grey-png.ts";
import { eachRow } from "./resize.ts";
import { beginningsDown, runLengths } from "./run-lengths.ts";
import type { Segment, SegmentAnswer, SegmentMap } from "./segments.ts";

/** A segment besides its label and its score, as JSON. */
const SEGMENT_BYTES = '{"label":"","score":,"mask":{"size":[,],"counts":""}},'.length + 2 * 5;
/** A PNG besides its pixels, and zlib's own bytes. */
const PNG_BYTES = 100;
/** Deflate needs no more for the pixels of one level that follow each other, in whichever code. */
const RUN_BYTES = 5;
/** Of many equal pixels, it takes so many together, in two bytes at most. */
const TOGETHER = 258;
const BASE64 = 4 / 3;
const WHITE = 255;

/** How masks are written, and what may not be exceeded. */
export interface Writing {
  encoding: "png" | "rle";
  /** Gets about how many bytes of JSON the masks will have, before they are written. It may throw. */
  expect: (bytes: number) => void;
}

/** Writes the masks of the segments, whose numbers are their places. */
export function* writeMasks(
  map: SegmentMap,
  segments: readonly Segment[],
  { encoding, expect }: Writing,
): Parts<SegmentAnswer[]> {
  const names = segments.reduce((sum, { label }) => sum + JSON.stringify(label).length, 0);
  const around = names + segments.length * (SEGMENT_BYTES + NUMBER_BYTES);
  if (encoding === "rle") {
    const beginnings = yield* beginningsDown(map, segments.length);
    expect(around + rleBytes(map, beginnings));
    const codes = yield* runLengths(map, segments.length);
    return segments.map((segment, number) => withMask(segment, codes[number]!));
  }
  const beginnings = yield* beginningsAcross(map, segments.length);
  expect(around + pngBytes(map, beginnings));
  const answers: SegmentAnswer[] = [];
  for (const [number, segment] of segments.entries()) {
    const file = yield* elsewhere(() => greyPng(map, whiteWhere(map, number)));
    answers.push(withMask(segment, toBase64(file)));
  }
  return answers;
}

function withMask({ label, score }: Segment, mask: SegmentAnswer["mask"]): SegmentAnswer {
  return score === undefined ? { label, mask } : { label, score, mask };
}

/** How many bytes of JSON the masks have, without their labels. */
export function bytesOfMasks(answers: readonly SegmentAnswer[]): number {
  return answers.reduce(
    (sum, { mask }) => sum + SEGMENT_BYTES + (typeof mask === "string" ? mask : mask.counts).length,
    0,
  );
}

/** A mask's pixels. */
function whiteWhere({ width, numbers }: SegmentMap, number: number): RowsOf {
  return (from, end) => {
    const rows = new Uint8Array((end - from) * (width + 1));
    for (let y = from, at = from * width, to = 0; y < end; y++) {
      to++;
      for (let x = 0; x < width; x++, at++, to++) if (numbers[at] === number) rows[to] = WHITE;
    }
    return rows;
  };
}

/** How often each segment begins on the way along the rows, anew in each row. */
function* beginningsAcross(
  { width, height, numbers }: SegmentMap,
  count: number,
): Parts<Uint32Array> {
  const beginnings = new Uint32Array(count);
  yield* eachRow(height, width, (y) => {
    let last = -1;
    for (let at = y * width; at < (y + 1) * width; at++) {
      const next = numbers[at]!;
      if (next !== last && next < count) beginnings[next]!++;
      last = next;
    }
  });
  return beginnings;
}

/** No fewer than the PNGs will have, in base64. */
function pngBytes({ width, height }: SegmentMap, beginnings: Uint32Array): number {
  const stored = height * (width + 1);
  const isStored = isSmall({ width, height });
  return beginnings.reduce((sum, count) => {
    const coded = (2 * count + 1) * RUN_BYTES + (2 * stored) / TOGETHER;
    const own = Math.min(isStored ? Infinity : coded, stored + stored / 1000);
    return sum + (PNG_BYTES + own) * BASE64;
  }, 0);
}

/** No fewer than the run-length codes will have. */
function rleBytes({ width, height }: SegmentMap, beginnings: Uint32Array): number {
  // A sign and five bits in each character, of which JSON writes one, the backslash, as two.
  const characters = Math.ceil((Math.log2(width * height) + 2) / 5);
  return beginnings.reduce((sum, own) => sum + (2 * own + 1) * 2 * characters, 0);
}
