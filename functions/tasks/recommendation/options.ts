import * as z from "zod";
import { NAME_PATTERN } from "../../model/name.ts";

export const recommendationOptions = {
  /** The asset that lists the items, in the order of the output's columns. */
  recommendation: z.strictObject({
    catalogue: z.string().regex(NAME_PATTERN),
    output: z.string(),
  }),
};

export const recommendationParameters = z.strictObject({
  top_k: z
    .number()
    .int()
    .positive()
    .default(10)
    .describe("How many items to answer with; fewer when the rest of the catalogue is smaller."),
});

export type RecommendationParameters = z.output<typeof recommendationParameters>;
