import type { Parts } from "../define.ts";
import type { Size } from "../image/fit.ts";
import { probabilities } from "./grids.ts";
import { renumber } from "./head.ts";
import type { ImageSegmentationParameters } from "./options.ts";
import { gridIn, rounded, type Found, type Queried } from "./queried.ts";
import { eachRow, linesOf, type Where } from "./resize.ts";
import { NONE } from "./segments.ts";

/**
 * Gives each pixel to the query whose mask is surest there, weighed by the score of the query's label, as
 * `post_process_panoptic_segmentation` of transformers does. Queries for nothing and those with low scores have no part.
 * Those that keep too little of their mask are left out, and their pixels are nobody's.
 */
export function* dividedPanoptically(
  queried: Queried,
  picture: Size,
  where: Where,
  { threshold, mask_threshold, overlap_mask_area_threshold }: ImageSegmentationParameters,
): Parts<Found> {
  const kept = bestOf(queried).filter(
    ({ isNothing, score }) => !isNothing && score > Math.fround(threshold),
  );
  const { width, height } = picture;
  const numbers = new Uint16Array(width * height).fill(NONE);
  const map = { width, height, numbers };
  const depth = kept.length;
  if (depth === 0) return { map, found: [] };
  const masks = gridIn(
    queried,
    kept.map(({ query }) => query),
  );
  const weighed = probabilities(
    masks,
    kept.map(({ score }) => score),
  );
  const lines = linesOf(weighed, picture, where);
  const [areas, own] = [new Float64Array(depth), new Float64Array(depth)];
  yield* eachRow(height, lines.work, (y) => {
    const { numbers: values, first, second, part } = lines.at(y);
    for (let x = 0; x < width; x++) {
      const [one, other, share] = [first[x]! * depth, second[x]! * depth, part[x]!];
      let [best, most] = [0, -Infinity];
      for (let place = 0; place < depth; place++) {
        const value = values[one + place]! * (1 - share) + values[other + place]! * share;
        if (value >= mask_threshold) areas[place]!++;
        if (value > most) [best, most] = [place, value];
      }
      own[best]!++;
      numbers[y * width + x] = best;
    }
  });
  const found: Found["found"] = [];
  const places = kept.map(({ label, score }, place) => {
    const isLarge = own[place]! / areas[place]! > overlap_mask_area_threshold;
    if (own[place] === 0 || areas[place] === 0 || !isLarge) return NONE;
    return found.push({ label, score: rounded(score) }) - 1;
  });
  yield* renumber(map, places);
  return { map, found };
}

/** The label with the highest score of each query. */
function bestOf({ planes: { count }, scores }: Queried) {
  const width = scores.length / count;
  return Array.from({ length: count }, (_, query) => {
    let label = 0;
    for (let other = 1; other < width; other++)
      if (scores[query * width + other]! > scores[query * width + label]!) label = other;
    const score = scores[query * width + label]!;
    return { query, label, score, isNothing: label === width - 1 };
  });
}
