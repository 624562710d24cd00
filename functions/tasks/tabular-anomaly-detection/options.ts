import * as z from "zod";

export const anomalyOptions = {
  anomaly: z.strictObject({
    output: z
      .string()
      .describe("The output with a number for each row: FP32, FP64 or FP16, [-1, 1] or [-1]."),
    side: z
      .enum(["below", "above"])
      .default("below")
      .describe(
        "On which side of the threshold rows are unusual: `below` for scikit-learn's `decision_function`, `above` for an error or a distance.",
      ),
    threshold: z.number().default(0).describe("Rows with this very number are usual."),
  }),
};
