import * as z from "zod";
import type { Manifest } from "../../model/manifest.ts";
import { NearcastError } from "../../errors.ts";
import { parseParameters, type CompiledTask } from "../define.ts";

export interface Classification {
  /** The label with the highest score. */
  label: string;
  score: number;
  /**
   * Score by label, the `top_k` highest where that was asked for. Highest first, except that labels that
   * are whole numbers come first and in their own order, as JavaScript has it in every object.
   */
  scores: Record<string, number>;
}

const parameters = z.strictObject({
  /** How many labels to answer with; all of them when absent or more than there are. */
  top_k: z.number().int().positive().optional(),
});

/** The half that every classification task shares: from the scores output to labels. */
export function classificationAnswers(
  manifest: Manifest,
): Pick<CompiledTask, "outputNames" | "postprocessor"> {
  const { labels, scores } = manifest;
  if (!labels || !scores) throw new Error(`task ${manifest.task} needs labels and scores`);
  const output = manifest.outputs.find(({ name }) => name === scores.output);
  if (output?.datatype !== "FP32" || output.shape.length !== 2 || output.shape[1] !== labels.length)
    throw new Error(`scores.output must name an FP32 output of shape [-1, ${labels.length}]`);
  const activate = ACTIVATIONS[scores.activation];

  return {
    outputNames: [scores.output],
    postprocessor(given) {
      const { top_k: topK } = parseParameters(parameters, given);
      return (outputs, { rows }) => {
        const data = outputs[scores.output]?.data;
        if (!(data instanceof Float32Array) || data.length !== rows * labels.length)
          throw new NearcastError(
            "model_corrupt",
            `Output ${scores.output} of ${manifest.name} has not ${labels.length} scores a row.`,
          );
        const answers: Classification[] = [];
        for (let start = 0; start < data.length; start += labels.length) {
          const values = activate(data.subarray(start, start + labels.length));
          answers.push(classification(labels, values, topK));
        }
        return answers;
      };
    },
  };
}

function classification(
  labels: readonly string[],
  scores: ArrayLike<number>,
  topK = labels.length,
): Classification {
  const score = (index: number): number => scores[index] ?? 0;
  const ranked = labels.map((_, index) => index).sort((a, b) => score(b) - score(a));
  const best = ranked[0] ?? 0;
  const named = ranked.slice(0, topK).map((index) => [labels[index], score(index)] as const);
  return {
    label: labels[best] ?? "",
    score: score(best),
    scores: Object.fromEntries(named) as Record<string, number>,
  };
}

const ACTIVATIONS = {
  none: (values: Float32Array): ArrayLike<number> => values,
  sigmoid: (values: Float32Array) => Array.from(values, (value) => 1 / (1 + Math.exp(-value))),
  softmax(values: Float32Array) {
    const highest = Math.max(...values);
    const powers = Array.from(values, (value) => Math.exp(value - highest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  },
} as const;
