import type { Parts } from "../define.ts";
import type { Placement, Size } from "../image/fit.ts";

/** Numbers at the places of a grid, of which a row is computed when it is needed. */
export interface Grid extends Size {
  /** How many numbers each place has. */
  depth: number;
  /** About how many numbers it takes to fill a row. */
  work: number;
  /** Writes those of a row into `target`, place by place. */
  fill: (row: number, target: Float64Array) => void;
}

/** A row of a picture between two places of a grid each, and how far each pixel is from the first one to the second. */
export interface Line {
  /** The numbers at the grid's columns that any pixel lies at, column by column. */
  numbers: Float64Array;
  columns: number;
  first: Int32Array;
  second: Int32Array;
  part: Float64Array;
}

/** Where a picture lies in the graph's input, and the size of that. */
export interface Where {
  place: Placement;
  frame: Size;
}

/** Others take turns after so many numbers: some milliseconds. */
export const NUMBERS_AT_ONCE = 500_000;

/** The rows of a picture that a grid is resized to. */
export interface Lines {
  /** A row, which is valid until the next one is asked for. They should be asked for from the top. */
  at: (row: number) => Line;
  /** About how many numbers it takes to make a row and to look at all of it. */
  work: number;
}

/**
 * Resizes a grid to a picture as torch's `interpolate` does in the mode bilinear, row by row: those of the whole picture
 * are never in memory together.
 */
export function linesOf(grid: Grid, picture: Size, { place, frame }: Where): Lines {
  const { depth, height, width } = grid;
  const down = between(picture.height, [place.top, place.height, frame.height], height);
  const across = between(picture.width, [place.left, place.width, frame.width], width);
  const columns = columnsOf(across);
  const line: Line = {
    numbers: new Float64Array(columns.length * depth),
    columns: columns.length,
    first: indexIn(columns, across.first),
    second: indexIn(columns, across.second),
    part: across.part,
  };
  let above = { row: -1, numbers: new Float64Array(width * depth) };
  let below = { row: -1, numbers: new Float64Array(width * depth) };

  /** How many rows of the grid are filled for one of the picture. */
  const filled = Math.min(2, height / picture.height);

  function fill(own: typeof above, row: number) {
    if (own.row === row) return;
    own.row = row;
    grid.fill(row, own.numbers);
  }

  return {
    work: depth * (columns.length + picture.width) + grid.work * filled,
    at(row) {
      const part = down.part[row]!;
      if (below.row === down.first[row]) [above, below] = [below, above];
      fill(above, down.first[row]!);
      fill(below, down.second[row]!);
      for (let column = 0, to = 0; column < columns.length; column++) {
        const start = columns[column]! * depth;
        for (let at = start; at < start + depth; at++)
          line.numbers[to++] = above.numbers[at]! * (1 - part) + below.numbers[at]! * part;
      }
      return line;
    },
  };
}

/** Does some work for each row. Others take turns in between. */
export function* eachRow(rows: number, work: number, visit: (row: number) => void): Parts<void> {
  let done = 0;
  for (let row = 0; row < rows; row++) {
    visit(row);
    done += work;
    if (done < NUMBERS_AT_ONCE) continue;
    done = 0;
    yield;
  }
}

/** Between which two neighbours of an edge each pixel lies, and how far from the first one to the second. */
interface Between {
  first: Int32Array;
  second: Int32Array;
  part: Float64Array;
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

/** The columns of a grid that a pixel lies at: not all of them, where the picture is narrow. */
function columnsOf({ first, second }: Between): Int32Array {
  const columns = new Set(first);
  for (const column of second) columns.add(column);
  return Int32Array.from(columns).sort();
}

function indexIn(columns: Int32Array, all: Int32Array): Int32Array {
  const places = new Map(Array.from(columns, (column, place) => [column, place]));
  return all.map((column) => places.get(column)!);
}
