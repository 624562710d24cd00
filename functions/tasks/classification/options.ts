import * as z from "zod";
import type { ManifestOf } from "../../model/manifest.ts";

/** The manifest's options of every classification task. */
export const classificationOptions = {
  label: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output that holds the predicted label: [-1] or [-1, 1]. With [-1, labels] it holds, for independent labels, whether each is there.",
        ),
      values: z
        .array(z.union([z.string(), z.number().int()]))
        .min(1)
        .optional()
        .describe(
          "The value of this output for each of `labels`, in their order; 0 and 1 for a BOOL output. Absent when the output holds the labels themselves.",
        ),
    })
    .optional()
    .describe(
      "The graph's own label. It is the answer's label, whatever the scores are. Without it, the highest score decides.",
    ),
  scores: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output with a number for each label: FP32, FP64 or FP16, [-1, labels], with or without ones behind. For two labels it may be one number: [-1, 1] or [-1].",
        ),
      activation: z
        .enum(["none", "softmax", "sigmoid"])
        .describe("The function that turns these numbers into scores."),
      kind: z
        .enum(["probabilities", "decision-values"])
        .optional()
        .describe(
          "The kind of scores: `probabilities` (the default), or the distances of a model that has no probabilities, such as a support vector machine.",
        ),
      column: z
        .union([z.literal(0), z.literal(1)])
        .optional()
        .describe(
          "For decision values of two labels in two columns: the column that is above 0 for the second label. The second column when absent.",
        ),
    })
    .optional()
    .describe("Absent for answers without scores."),
};

export const classificationParameters = z.strictObject({
  top_k: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("How many labels the answer has. All of them when absent."),
});

export type Parameters = z.output<typeof classificationParameters>;
export type ClassificationManifest = ManifestOf<typeof classificationOptions>;
export type LabelOptions = NonNullable<ClassificationManifest["label"]>;
export type ScoresOptions = NonNullable<ClassificationManifest["scores"]>;

/** Whether the graph reports each label independently of the others. */
export function hasIndependentLabels({ labels = [], label, outputs }: ClassificationManifest) {
  const shape = outputs.find(({ name }) => name === label?.output)?.shape;
  return labels.length > 1 && shape?.length === 2 && shape[1] === labels.length;
}

/** Whether the scores are one number: with decision values of two labels, the distance to the second label's side. */
export function isOneSided(manifest: ClassificationManifest): boolean {
  const { labels = [], scores } = manifest;
  return (
    labels.length === 2 && scores?.kind === "decision-values" && !hasIndependentLabels(manifest)
  );
}
