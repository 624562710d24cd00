import * as z from "zod";

export const regressionOptions = {
  regression: z.strictObject({
    output: z
      .string()
      .describe(
        "The output with the predicted number: FP32, FP64 or FP16, [-1, 1] or [-1]. With `labels`, such as several targets or quantiles, it has a number for each: [-1, labels].",
      ),
    unit: z.string().optional().describe("The unit of all its numbers. Answers repeat it."),
  }),
};
