import * as z from "zod";
import { textOptions } from "../text/options.ts";

const index = z.number().int().min(0);

export const zeroShotOptions = {
  zeroShot: z.strictObject({
    output: z
      .string()
      .describe(
        "The output with a number for each relation of two texts: FP32, FP64 or FP16, [-1, relations].",
      ),
    entailment: index.describe("Which of its numbers says that the second text follows."),
    contradiction: index.describe("Which of its numbers says that it contradicts the first."),
  }),
  ...textOptions,
};

export const zeroShotParameters = z.strictObject({
  candidate_labels: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "The labels to choose from. The graph runs once for each. Absent where each input has its own.",
    ),
  hypothesis_template: templateOf("This example is {}.").describe(
    "The sentence that is checked against the text, with {} for the label.",
  ),
  multi_label: z
    .boolean()
    .default(false)
    .describe("Whether several labels may be right. Their scores then do not add up to 1."),
});

export type ZeroShotParameters = z.output<typeof zeroShotParameters>;

/** A sentence with {} once, in the place of a label. */
export function templateOf(usual: string) {
  return z
    .string()
    .refine(
      (template) => template.replace("{}", "").match(/[{}]/) === null && /\{\}/.test(template),
      {
        message: "must have {} once, in the place of the label, and no other braces",
      },
    )
    .default(usual);
}
