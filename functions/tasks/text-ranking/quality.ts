import type { Quality } from "../define.ts";
import type { Ranked } from "./compile.ts";

/** How high the right texts stand. A label in the data is the index of a right text, or an array of them. */
export function rankingQuality(k: number): Quality {
  return {
    parameters: { top_k: k },
    problemWith: (truth) =>
      indexes(truth).every(Number.isInteger) && indexes(truth).length > 0
        ? undefined
        : "must be the index of a text, or an array of them",
    metrics(truths, answers) {
      let [reciprocals, gains] = [0, 0];
      for (const [row, truth] of truths.entries()) {
        const right = new Set(indexes(truth));
        const hits = (answers[row] as Ranked[]).map(({ index }) => right.has(index));
        const first = hits.indexOf(true);
        if (first >= 0) reciprocals += 1 / (first + 1);
        gains += gainOf(hits) / gainOf(Array.from({ length: Math.min(right.size, k) }, () => true));
      }
      return {
        [`mrr_at_${k}`]: reciprocals / truths.length,
        [`ndcg_at_${k}`]: gains / truths.length,
      };
    },
  };
}

function indexes(truth: unknown): unknown[] {
  return [truth].flat();
}

/** The sum of hits, of which later ones count less. */
function gainOf(hits: readonly boolean[]): number {
  return hits.reduce((sum, hit, place) => sum + (hit ? 1 / Math.log2(place + 2) : 0), 0);
}
