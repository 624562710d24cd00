import * as z from "zod";
import { textOptions } from "../text/options.ts";

export const fillMaskOptions = {
  fill: z.strictObject({
    output: z
      .string()
      .describe(
        "The output with a number for each token of the text and each one of the vocabulary: FP32, FP64 or FP16, [-1, -1, vocabulary].",
      ),
    mask: z
      .string()
      .min(1)
      .describe("The token that stands for a mask in texts, such as `[MASK]`."),
  }),
  ...textOptions,
};

export const fillMaskParameters = z.strictObject({
  top_k: z
    .number()
    .int()
    .positive()
    .default(5)
    .describe(
      "How many tokens the answer has for a mask: in all at most five for each input that a batch may have.",
    ),
  targets: z
    .array(z.string())
    .min(1)
    .max(1000)
    .optional()
    .describe(
      "The only tokens to choose from. Of a text that is no token, its first token is taken.",
    ),
});

export type FillMaskParameters = z.output<typeof fillMaskParameters>;
