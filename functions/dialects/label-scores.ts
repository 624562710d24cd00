import { invalidInput } from "../errors.ts";

interface LabelScore {
  label: string;
  score: number;
}

/**
 * The answer of a classification as a list of labels, the highest score first. `isRaw`: without the activation. Throws
 * `invalid_input` where the model does not give such scores.
 */
export function labelScores(answer: object, isRaw = false): LabelScore[] {
  const { scores, decision_values: raw } = answer as Record<string, Record<string, number>>;
  if (isRaw && !raw)
    throw invalidInput([
      { path: "raw_scores", message: "must be false: this model gives only its final scores" },
    ]);
  if (!scores && !raw)
    throw invalidInput([{ path: "model", message: "gives labels without scores" }]);
  return Object.entries(scores ?? raw ?? {})
    .map(([label, score]) => ({ label, score }))
    .toSorted((one, other) => other.score - one.score);
}
