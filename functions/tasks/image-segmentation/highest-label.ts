import type { Parts } from "../define.ts";
import type { Placement, Size } from "../image/fit.ts";
import type { SegmentMap } from "./segments.ts";

/** Numbers for each label and place: label by label, and rows from the top. */
export interface Logits extends Size {
  labels: number;
  data: Float32Array | Float64Array;
}

/** Others take turns after so many numbers: some milliseconds. */
export const NUMBERS_AT_ONCE = 500_000;

/** Between which two neighbours of an edge each pixel lies, and how far from the first one to the second. */
interface Between {
  first: Int32Array;
  second: Int32Array;
  part: Float64Array;
}

/**
 * The label with the highest number at each pixel of a picture, where the numbers are resized to it as torch's
 * `interpolate` does in the mode bilinear. `place` is where the picture lies in the graph's input, whose size is `frame`.
 * Resizes row by row, so that never more than a row of all labels is in memory.
 */
export function* highestLabels(
  logits: Logits,
  picture: Size,
  { place, frame }: { place: Placement; frame: Size },
): Parts<SegmentMap> {
  const { labels, data, height, width } = logits;
  const down = between(picture.height, [place.top, place.height, frame.height], height);
  const across = between(picture.width, [place.left, place.width, frame.width], width);
  const columns = columnsOf(across);
  const places = { first: indexIn(columns, across.first), second: indexIn(columns, across.second) };
  const numbers = new Uint16Array(picture.width * picture.height);
  const row = new Float64Array(columns.length * labels);
  const best = new Uint16Array(columns.length);
  const work = labels * (columns.length + picture.width);
  let done = 0;
  for (let y = 0; y < picture.height; y++) {
    fillRow(y);
    for (let x = 0; x < picture.width; x++)
      numbers[y * picture.width + x] = labelAt(
        places.first[x]!,
        places.second[x]!,
        across.part[x]!,
      );
    done += work;
    if (done < NUMBERS_AT_ONCE) continue;
    done = 0;
    yield;
  }
  return { ...picture, numbers };

  /** The numbers of one row of the picture, at the columns of the logits, and the highest one of each. */
  function fillRow(y: number) {
    const [above, below] = [down.first[y]! * width, down.second[y]! * width];
    const part = down.part[y]!;
    best.fill(0);
    for (let label = 0; label < labels; label++) {
      const from = label * height * width;
      for (let column = 0; column < columns.length; column++) {
        const x = from + columns[column]!;
        const value = data[x + above]! * (1 - part) + data[x + below]! * part;
        const at = column * labels;
        row[at + label] = value;
        if (value > row[at + best[column]!]!) best[column] = label;
      }
    }
  }

  function labelAt(first: number, second: number, part: number): number {
    // On a straight line between two places, what is highest at both ends is so in between.
    if (best[first] === best[second]) return best[first]!;
    const [one, other] = [first * labels, second * labels];
    let [highest, most] = [0, -Infinity];
    for (let label = 0; label < labels; label++) {
      const value = row[one + label]! * (1 - part) + row[other + label]! * part;
      if (value > most) [highest, most] = [label, value];
    }
    return highest;
  }
}

/** Where the `pixels` of an edge lie among its `numbers`. The edge covers `length` of `whole` from `from` on. */
function between(
  pixels: number,
  [from, length, whole]: readonly [number, number, number],
  numbers: number,
): Between {
  const first = new Int32Array(pixels);
  const second = new Int32Array(pixels);
  const part = new Float64Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const inFrame = from + ((pixel + 0.5) * length) / pixels;
    const at = Math.max(0, (inFrame * numbers) / whole - 0.5);
    first[pixel] = Math.floor(at);
    second[pixel] = Math.min(first[pixel]! + 1, numbers - 1);
    part[pixel] = at - first[pixel]!;
  }
  return { first, second, part };
}

/** The columns of the logits that a pixel lies at: not all of them, where the picture is narrow. */
function columnsOf({ first, second }: Between): Int32Array {
  const columns = new Set(first);
  for (const column of second) columns.add(column);
  return Int32Array.from(columns).sort();
}

function indexIn(columns: Int32Array, all: Int32Array): Int32Array {
  const places = new Map(Array.from(columns, (column, place) => [column, place]));
  return all.map((column) => places.get(column)!);
}
