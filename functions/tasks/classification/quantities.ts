import { answerNumber } from "../answer-numbers.ts";
import type { Quantity } from "../define.ts";
import type { Classification } from "./classification.ts";
import { isOneSided, type ClassificationManifest } from "./options.ts";

/** The label of an answer, and its score where there are scores. */
export function classificationQuantities(manifest: ClassificationManifest): Quantity[] {
  const { labels = [], scores } = manifest;
  const scored = isOneSided(manifest) ? (labels[1] ?? "") : undefined;
  const scoreOf = ({ label = "", score, decision_values: values }: Classification) =>
    score ?? values?.[scored ?? label];
  return [
    {
      name: "prediction.label",
      of: "prediction",
      kind: "category",
      categories: labels,
      each({ answers = [] }, take) {
        for (const answer of answers) take((answer as Classification).label);
      },
    },
    ...(scores ? [answerNumber("score", (answer) => scoreOf(answer as Classification))] : []),
  ];
}
