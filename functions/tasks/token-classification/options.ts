import * as z from "zod";
import { textOptions } from "../text/options.ts";

export const tokenClassificationOptions = {
  entities: z.strictObject({
    output: z
      .string()
      .describe(
        "The output with a number for each token and label: FP32, FP64 or FP16, [-1, -1, labels]. Their softmax are the scores.",
      ),
  }),
  ...textOptions,
};

export const tokenClassificationParameters = z.strictObject({
  aggregation_strategy: z
    .enum(["none", "simple", "first", "average", "max"])
    .default("simple")
    .describe(
      "How tokens become entities. `none` answers with tokens; `simple` joins neighbours of one label; `first`, `average` and `max` first give all tokens of a word one label: that of its first token, of their mean, or of the surest token.",
    ),
  ignore_labels: z
    .array(z.string())
    .default(["O"])
    .describe("Labels to leave out, without `B-` and `I-` where tokens are joined."),
  stride: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe(
      "Reads all of a long text, in parts that share this many tokens. Without it, the text is cut off at the model's most tokens.",
    ),
});

export type TokenClassificationParameters = z.output<typeof tokenClassificationParameters>;
