import * as z from "zod";
import { textOptions } from "../text/options.ts";

export const textRegressionOptions = {
  regression: z.strictObject({
    output: z
      .string()
      .describe(
        "The output with the numbers: FP32, FP64 or FP16, [-1, 1], or with `labels` [-1, labels].",
      ),
    activation: z
      .enum(["none", "sigmoid"])
      .default("none")
      .describe("The function that turns the graph's numbers into the answer's."),
  }),
  ...textOptions,
};
