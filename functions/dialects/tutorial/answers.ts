import { invalidInput } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";

/** A prediction with the members of several tutorials: each front end reads its own. */
export interface TutorialAnswer {
  /** The label, or the number of a regression. */
  prediction: string | number;
  /** The score of the label, where the model gives one. */
  confidence?: number;
  /** The label once more, and all labels of the model. */
  predicted_class?: string;
  class_names?: readonly string[];
}

/** Throws `invalid_input` for a model whose answer is neither one label nor one number. */
export function tutorialAnswer(output: unknown, { labels }: Manifest): TutorialAnswer {
  const { label, score, value } = output as Record<string, unknown>;
  if (typeof value === "number") return { prediction: value };
  if (typeof label !== "string")
    throw invalidInput([
      { path: "model", message: "gives neither one label nor one number for a row" },
    ]);
  return {
    prediction: label,
    ...(typeof score === "number" && { confidence: score }),
    predicted_class: label,
    ...(labels && { class_names: labels }),
  };
}
