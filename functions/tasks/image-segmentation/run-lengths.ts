import type { Parts } from "../define.ts";
import type { Rle, SegmentMap } from "./segments.ts";

/** Others take turns after so many pixels: a few milliseconds. */
const PIXELS_AT_ONCE = 500_000;
/** An even number: each piece of a code begins outside. */
const COUNTS_AT_ONCE = 16_384;

/** How often each segment begins on the way down the columns, one after the other. */
export function* beginningsDown(map: SegmentMap, count: number): Parts<Uint32Array> {
  const beginnings = new Uint32Array(count);
  yield* changesDown(map, (_, next) => {
    if (next < count) beginnings[next]!++;
  });
  return beginnings;
}

/** The masks of the segments with numbers below `count`, as COCO's tools compress them. */
export function* runLengths(map: SegmentMap, count: number): Parts<Rle[]> {
  const changes = Array.from({ length: count }, (): number[] => []);
  yield* changesDown(map, (at, next, last) => {
    changes[last]?.push(at);
    changes[next]?.push(at);
  });
  const { width, height } = map;
  const codes: Rle[] = [];
  for (const own of changes) {
    yield;
    codes.push({ size: [height, width], counts: compressed(own, width * height) });
  }
  return codes;
}

/** Tells each place where the number changes, the first one too. Places count down the columns. */
function* changesDown(
  { width, height, numbers }: SegmentMap,
  tell: (at: number, next: number, last: number) => void,
): Parts<void> {
  const step = Math.max(1, Math.floor(PIXELS_AT_ONCE / height));
  let [last, place] = [-1, 0];
  for (let x = 0; x < width; x++) {
    for (let at = x; at < numbers.length; at += width, place++) {
      const next = numbers[at]!;
      if (next === last) continue;
      tell(place, next, last);
      last = next;
    }
    if (x % step === step - 1) yield;
  }
}

/**
 * Pixels outside and inside of the mask by turns, as text: each count, behind the third less the one before the last, in
 * groups of five bits.
 */
function compressed(changes: readonly number[], pixels: number): string {
  const counts = [...changes, pixels].map((at, index) => at - (changes[index - 1] ?? 0));
  let text = "";
  for (const [index, count] of counts.entries()) {
    let left = index > 2 ? count - counts[index - 2]! : count;
    for (let isMore = true; isMore;) {
      const bits = left & 31;
      left >>= 5;
      isMore = bits & 16 ? left !== -1 : left !== 0;
      text += String.fromCharCode(bits + (isMore ? 32 : 0) + 48);
    }
  }
  return text;
}

/** The counts of a code, compressed or not. Undefined for a text that is none. */
export function countsOf(counts: string | readonly number[]): readonly number[] | undefined {
  if (typeof counts !== "string") return counts;
  try {
    return [...countPieces(counts)].flat();
  } catch {
    return undefined;
  }
}

/** The counts of a compressed code, in pieces that begin outside of the mask. Throws a RangeError for a text that is none. */
export function* countPieces(text: string): Generator<number[], void, undefined> {
  let piece: number[] = [];
  let [index, last, lastButOne] = [0, 0, 0];
  for (let at = 0; at < text.length; index++) {
    let [count, shift, isMore] = [0, 0, true];
    while (isMore) {
      const bits = text.charCodeAt(at++) - 48;
      // Beyond the end it is not a number.
      if (!(bits >= 0 && bits < 64) || shift > 25) throw new RangeError("is no run-length code");
      count |= (bits & 31) << shift;
      shift += 5;
      isMore = (bits & 32) !== 0;
      if (!isMore && bits & 16) count |= -1 << shift;
    }
    if (index > 2) count += lastButOne;
    [lastButOne, last] = [last, count];
    piece.push(count);
    if (piece.length < COUNTS_AT_ONCE) continue;
    yield piece;
    piece = [];
  }
  yield piece;
}
