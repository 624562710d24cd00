import { answerNumber } from "../answer-numbers.ts";
import type { JsonSchema, Quantity } from "../define.ts";

/** A label with its score, from 0 to 1. */
export interface ScoredLabel {
  label: string;
  score: number;
}

/** An answer, for the API's description. */
export const SCORED_LABELS: JsonSchema = {
  type: "array",
  description: "All labels, best first.",
  items: {
    type: "object",
    required: ["label", "score"],
    properties: { label: { type: "string" }, score: { type: "number" } },
  },
};

/** The best label of each answer, and its score. */
export const LABEL_QUANTITIES: readonly Quantity[] = [
  {
    name: "prediction.label",
    of: "prediction",
    kind: "category",
    each({ answers = [] }, take) {
      for (const answer of answers) take((answer as ScoredLabel[])[0]?.label);
    },
  },
  answerNumber("score", (answer) => (answer as ScoredLabel[])[0]?.score),
];
