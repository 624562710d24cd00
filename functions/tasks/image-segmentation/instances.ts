import type { Parts } from "../define.ts";
import type { Size } from "../image/fit.ts";
import type { ImageSegmentationParameters } from "./options.ts";
import { gridIn, rounded, type Found, type Queried } from "./queried.ts";
import { eachRow, type Where } from "./resize.ts";
import { NONE } from "./segments.ts";

/**
 * The best pairs of a query and a label, as many as there are queries, as `post_process_instance_segmentation` of MaskFormer
 * has them in transformers: a pair's score is that of its label times the mean of its mask. Masks may overlap. Where they
 * do, a pixel is the last one's, which is that with the lowest score of its label.
 */
export function* dividedInstances(
  queried: Queried,
  picture: Size,
  { place, frame }: Where,
  { threshold }: ImageSegmentationParameters,
): Parts<Found> {
  const { count } = queried.planes;
  const grid = gridIn(queried);
  const inside = new Uint8Array(grid.width * grid.height * count);
  const [sums, areas] = [new Float64Array(count), new Float64Array(count)];
  const row = new Float64Array(grid.width * count);
  yield* eachRow(grid.height, grid.work, (y) => {
    grid.fill(y, row);
    const from = y * row.length;
    for (let at = 0; at < row.length; at++) {
      const logit = row[at]!;
      if (!(logit > 0)) continue;
      inside[from + at] = 1;
      sums[at % count]! += 1 / (1 + Math.exp(-logit));
      areas[at % count]!++;
    }
  });
  const down = nearest(picture.height, [place.top, place.height, frame.height], grid.height);
  const across = nearest(picture.width, [place.left, place.width, frame.width], grid.width);
  const seen = new Uint8Array(count);
  const { width, height } = picture;
  yield* eachRow(height, width * count, (y) => {
    for (let x = 0; x < width; x++) {
      const from = (down[y]! * grid.width + across[x]!) * count;
      for (let query = 0; query < count; query++) seen[query]! |= inside[from + query]!;
    }
  });
  const found = bestPairs(queried)
    .map(({ query, label, score }) => ({
      query,
      label,
      score: (score * sums[query]!) / (areas[query]! + 1e-6),
    }))
    .filter(({ query, score }) => seen[query] === 1 && score >= threshold);
  const numbers = new Uint16Array(width * height).fill(NONE);
  yield* eachRow(height, width * found.length, (y) => {
    for (let x = 0; x < width; x++) {
      const from = (down[y]! * grid.width + across[x]!) * count;
      const last = found.findLastIndex(({ query }) => inside[from + query] === 1);
      if (last >= 0) numbers[y * width + x] = last;
    }
  });
  return {
    map: { width, height, numbers },
    found: found.map(({ label, score }) => ({ label, score: rounded(score) })),
  };
}

/** The pairs of a query and a label with the highest scores, the highest first. */
function bestPairs({ planes: { count }, scores }: Queried) {
  const width = scores.length / count;
  const pairs: { query: number; label: number; score: number }[] = [];
  for (const [at, score] of scores.entries())
    if (at % width < width - 1)
      pairs.push({ query: Math.floor(at / width), label: at % width, score });
  return pairs.toSorted((one, other) => other.score - one.score).slice(0, count);
}

/** The place of an edge that each of its `pixels` has, in 32 bits as torch's `interpolate` in the mode nearest. */
function nearest(
  pixels: number,
  [from, length, whole]: readonly [number, number, number],
  numbers: number,
): Int32Array {
  const step = Math.fround((length * numbers) / (pixels * whole));
  const start = (from * numbers) / whole;
  return Int32Array.from({ length: pixels }, (_, pixel) =>
    Math.min(Math.floor(start + Math.fround(pixel * step)), numbers - 1),
  );
}
