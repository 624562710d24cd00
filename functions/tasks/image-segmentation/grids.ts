import type { Size } from "../image/fit.ts";
import { linesOf, type Grid } from "./resize.ts";

/** The numbers of an output for one picture: one for each label, or query, and place. Label by label, rows from the top. */
export interface Planes extends Size {
  count: number;
  data: Float32Array | Float64Array;
}

/** The chosen planes as a grid, all where none are named. */
export function gridOf({ count, height, width, data }: Planes, chosen?: readonly number[]): Grid {
  const depth = chosen?.length ?? count;
  return {
    depth,
    height,
    width,
    work: depth * width,
    fill(row, target) {
      for (let own = 0; own < depth; own++) {
        const from = ((chosen?.[own] ?? own) * height + row) * width;
        for (let x = 0, to = own; x < width; x++, to += depth) target[to] = data[from + x]!;
      }
    },
  };
}

/** A grid of another size, all of which is resized. */
export function scaledGrid(grid: Grid, size: Size): Grid {
  const { depth } = grid;
  const whole = { ...size, left: 0, top: 0 };
  const lines = linesOf(grid, size, { place: whole, frame: size });
  return {
    depth,
    ...size,
    work: lines.work,
    fill(row, target) {
      const { numbers, first, second, part } = lines.at(row);
      for (let x = 0, to = 0; x < size.width; x++)
        for (let own = 0; own < depth; own++)
          target[to++] =
            numbers[first[x]! * depth + own]! * (1 - part[x]!) +
            numbers[second[x]! * depth + own]! * part[x]!;
    },
  };
}

/** The sigmoid of each number: how likely a place belongs to a mask, times the query's own weight where there are some. */
export function probabilities(grid: Grid, weights?: readonly number[]): Grid {
  const { depth } = grid;
  return {
    ...grid,
    fill(row, target) {
      grid.fill(row, target);
      for (let at = 0; at < target.length; at++)
        target[at] = (weights?.[at % depth] ?? 1) / (1 + Math.exp(-target[at]!));
    },
  };
}

/** So many products of a query and a label take as long as a number that is resized. */
export const WEIGHED_TOGETHER = 4;

/**
 * A number for each label: how likely a place belongs to the masks of the queries, weighed by how likely each query has
 * that label. `labels` has a number for each label of each query.
 */
export function weighedGrid(grid: Grid, labels: Float64Array): Grid {
  const depth = labels.length / grid.depth;
  const own = new Float64Array(grid.width * grid.depth);
  return {
    ...grid,
    depth,
    work: grid.work + (grid.width * labels.length) / WEIGHED_TOGETHER,
    fill(row, target) {
      grid.fill(row, own);
      target.fill(0);
      for (let place = 0; place < grid.width; place++) {
        const to = place * depth;
        let query = 0;
        // Four at once, since reading and writing the sum takes longest.
        for (; query + 4 <= grid.depth; query += 4) {
          const at = place * grid.depth + query;
          const [first, second, third, fourth] = [
            own[at]!,
            own[at + 1]!,
            own[at + 2]!,
            own[at + 3]!,
          ];
          for (let label = 0, from = query * depth; label < depth; label++, from++)
            target[to + label] =
              target[to + label]! +
              labels[from]! * first +
              labels[from + depth]! * second +
              labels[from + 2 * depth]! * third +
              labels[from + 3 * depth]! * fourth;
        }
        for (; query < grid.depth; query++) {
          const value = own[place * grid.depth + query]!;
          for (let label = 0, from = query * depth; label < depth; label++, from++)
            target[to + label]! += labels[from]! * value;
        }
      }
    },
  };
}
