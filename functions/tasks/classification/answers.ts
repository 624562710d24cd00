import * as z from "zod";
import type { ManifestOf } from "../../model/manifest.ts";
import { NearcastError } from "../../errors.ts";
import type { CompiledTask, JsonSchema, Quality } from "../define.ts";

export interface Classification {
  /** The label with the highest score. */
  label: string;
  score: number;
  /**
   * Score by label: all of them, or the `top_k` highest. Highest first. Labels that are whole numbers come
   * first in their own order, as in every JavaScript object.
   */
  scores: Record<string, number>;
}

/** The manifest's options of every classification task. */
export const classificationOptions = {
  scores: z.strictObject({
    output: z.string().describe("The output with a number for each label: FP32, [-1, labels]."),
    activation: z
      .enum(["none", "softmax", "sigmoid"])
      .describe("What turns these numbers into scores."),
  }),
};

export const classificationParameters = z.strictObject({
  top_k: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("How many labels to answer with. All of them when absent."),
});

export type ScoresOptions = z.output<typeof classificationOptions.scores>;
type Parameters = z.output<typeof classificationParameters>;
type ClassificationManifest = ManifestOf<typeof classificationOptions>;

/** The half that all classification tasks share: from the output with the scores to labels. */
export function classificationAnswers(
  manifest: ClassificationManifest,
): Pick<CompiledTask<Parameters>, "outputNames" | "postprocess"> {
  const { labels, scores } = manifest;
  if (!labels) throw new Error(`task ${manifest.task} needs labels`);
  const output = manifest.outputs.find(({ name }) => name === scores.output);
  if (output?.datatype !== "FP32" || output.shape.length !== 2 || output.shape[1] !== labels.length)
    throw new Error(`scores.output must name an FP32 output of shape [-1, ${labels.length}]`);
  const activate = ACTIVATIONS[scores.activation];

  return {
    outputNames: [scores.output],
    postprocess(outputs, { rows }, { top_k: topK }) {
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
    },
  };
}

/** The answer of a classification, for the API's description. */
export function classificationSchema({ labels = [] }: ClassificationManifest): JsonSchema {
  return {
    type: "object",
    required: ["label", "score", "scores"],
    properties: {
      label: { type: "string", enum: labels },
      score: { type: "number", description: "The score of the label." },
      scores: {
        type: "object",
        description: "Score by label, highest first.",
        properties: Object.fromEntries(labels.map((label) => [label, { type: "number" }])),
        additionalProperties: false,
      },
    },
  };
}

/** Accuracy, precision, recall and F1 of the labels, and the area under the ROC curve of the scores. */
export async function classificationQuality({
  labels = [],
}: ClassificationManifest): Promise<Quality> {
  const { classificationMetrics, confusionOf, rocAuc } = await import("./metrics.ts");
  const confusion = (truths: readonly unknown[], answers: readonly unknown[]) =>
    confusionOf(
      truths.map(String),
      (answers as Classification[]).map(({ label }) => label),
    );
  return {
    problemWith: (truth) =>
      labels.includes(String(truth))
        ? undefined
        : `the model has no label ${JSON.stringify(truth)}; it has ${labels.join(", ")}`,
    metrics(truths, answers) {
      const scores = (answers as Classification[]).map((answer) => answer.scores);
      const auc = rocAuc(labels, truths.map(String), scores);
      return {
        ...classificationMetrics(confusion(truths, answers)),
        ...(auc !== undefined && { auc }),
      };
    },
    confusion,
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
