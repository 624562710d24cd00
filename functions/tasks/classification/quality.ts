import type { Quality } from "../define.ts";
import type { Classification } from "./classification.ts";
import type { ClassificationManifest } from "./options.ts";

/** Accuracy, precision, recall and F1 of the labels, and the area under the ROC curve of the scores. */
export async function classificationQuality({
  labels = [],
  scores: options,
}: ClassificationManifest): Promise<Quality> {
  const { classificationMetrics, confusionOf, rocAuc } = await import("./metrics.ts");
  const { calibrationOf } = await import("./calibration.ts");
  const confusion = (truths: readonly unknown[], answers: readonly unknown[]) =>
    confusionOf(
      truths.map(String),
      (answers as Classification[]).map(({ label = "" }) => label),
    );
  return {
    problemWith: (truth) =>
      labels.includes(String(truth))
        ? undefined
        : `the model has no label ${JSON.stringify(truth)}; it has ${labels.join(", ")}`,
    metrics(truths, answers) {
      const scores = (answers as Classification[]).map(
        (answer) => answer.scores ?? answer.decision_values ?? {},
      );
      const auc = options && rocAuc(labels, truths.map(String), scores);
      return {
        ...classificationMetrics(confusion(truths, answers)),
        ...(auc !== undefined && { auc }),
      };
    },
    // Of independent labels, several may be right.
    calibration(truths, answers) {
      const scored = (answers as Classification[]).flatMap(
        ({ label, labels: several, score }, row) =>
          score === undefined || several ? [] : [{ score, isHit: label === String(truths[row]) }],
      );
      return calibrationOf(
        scored.map(({ score }) => score),
        scored.map(({ isHit }) => isHit),
      );
    },
    confusion,
  };
}
