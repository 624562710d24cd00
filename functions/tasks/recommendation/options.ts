import * as z from "zod";
import { NAME_PATTERN } from "../../model/name.ts";

export const recommendationOptions = {
  recommendation: z.strictObject({
    catalogue: z
      .string()
      .regex(NAME_PATTERN)
      .describe("The asset that lists the items, in the order of the output's columns."),
    output: z.string().describe("The output with a score for each item."),
  }),
};

export const recommendationParameters = z.strictObject({
  top_k: z.number().int().positive().default(10).describe("The most items in an answer."),
});

export type RecommendationParameters = z.output<typeof recommendationParameters>;
