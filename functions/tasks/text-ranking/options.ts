import * as z from "zod";
import { textOptions } from "../text/options.ts";

export const textRankingOptions = {
  ranking: z.strictObject({
    output: z
      .string()
      .describe("The output with a number for each pair of texts: FP32, FP64 or FP16, [-1, 1]."),
    activation: z
      .enum(["none", "sigmoid"])
      .default("sigmoid")
      .describe("The function that turns these numbers into scores."),
  }),
  ...textOptions,
};

export const textRankingParameters = z.strictObject({
  top_k: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("How many texts the answer has. All of them when absent."),
  return_text: z.boolean().default(false).describe("Whether the answer has the texts too."),
  raw_scores: z
    .boolean()
    .default(false)
    .describe("Whether scores are the graph's own numbers, without an activation."),
});

export type TextRankingParameters = z.output<typeof textRankingParameters>;
