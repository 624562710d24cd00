import type { Quality } from "../define.ts";
import {
  placeOf,
  retrievalMetrics,
  similarity,
  type Vector,
} from "../feature-extraction/retrieval.ts";

/** How often the images that are nearest to an image have one with its label. A label is what the image shows. */
export function imageVectorQuality(k: number): Quality {
  return {
    problemWith: (truth) =>
      typeof truth === "string" || typeof truth === "number"
        ? undefined
        : "must be a label that several images have",
    searched: (truths) => truths.length - 1,
    metrics(truths, answers) {
      const all = truths.map(String);
      const places = all.flatMap((label, row) => {
        const others = [...all.keys()].filter((other) => other !== row);
        if (all.indexOf(label) === all.lastIndexOf(label)) return [];
        const isRight = (other: number) => all[other] === label;
        return placeOf(others, isRight, (other) =>
          similarity(answers[row] as Vector, answers[other] as Vector),
        );
      });
      if (places.length === 0)
        throw new Error("No two images of the data have the same label, so none could be found.");
      return retrievalMetrics(places, k);
    },
  };
}
