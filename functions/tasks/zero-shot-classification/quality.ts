import { classificationMetrics, confusionOf, type Confusion } from "../classification/metrics.ts";
import type { Quality } from "../define.ts";
import type { ScoredLabel } from "./answers.ts";

/** Accuracy, precision, recall and F1 of the best labels. A label in the data is one of the input's labels. */
export function zeroShotQuality(): Quality {
  return {
    problemWith: (truth) => (typeof truth === "string" ? undefined : "must be one of the labels"),
    metrics: (truths, answers) => classificationMetrics(confusion(truths, answers)),
    confusion,
  };
}

function confusion(truths: readonly unknown[], answers: readonly unknown[]): Confusion {
  return confusionOf(
    truths.map(String),
    (answers as ScoredLabel[][]).map(([best]) => best?.label ?? ""),
  );
}
