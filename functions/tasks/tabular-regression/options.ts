import * as z from "zod";

export const regressionOptions = {
  regression: z.strictObject({
    output: z.string().describe("The output with the predicted number."),
    unit: z.string().optional().describe("The number's unit. Answers repeat it."),
  }),
};
