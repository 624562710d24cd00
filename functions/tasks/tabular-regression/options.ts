import * as z from "zod";

export const regressionOptions = {
  /** Which output holds the predicted number. */
  regression: z.strictObject({ output: z.string(), unit: z.string().optional() }),
};
