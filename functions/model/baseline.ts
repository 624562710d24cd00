import * as z from "zod";

/** The most quantities of a baseline: what is counted of them must fit the counters. */
export const MOST_QUANTITIES = 100;
/** The most bins of numbers, and the most categories that have a bin of their own. */
export const MOST_BINS = 10;
export const MOST_CATEGORIES = 20;

const count = z.number().int().min(0);

const quantity = z
  .strictObject({
    name: z.string().min(1).describe("A feature, or what a task measures, such as `tokens`."),
    of: z.enum(["input", "prediction"]),
    edges: z
      .array(z.number())
      .max(MOST_BINS - 1)
      .optional()
      .describe(
        "Of numbers, rising. The first bin has the numbers up to the first edge, the last bin those above the last edge.",
      ),
    categories: z
      .array(z.string())
      .max(MOST_CATEGORIES)
      .optional()
      .describe("Of texts: those with a bin of their own. All others share the next bin."),
    counts: z
      .array(count)
      .min(2)
      .describe(
        "How many values of the data each bin had. The last bin is that of missing values.",
      ),
  })
  .superRefine(({ edges, categories, counts }, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if ((edges === undefined) === (categories === undefined))
      return refuse("must have edges or categories");
    if (edges?.some((edge, index) => index > 0 && !(edge > (edges[index - 1] ?? edge))))
      refuse("edges must rise");
    const bins = (edges ?? categories ?? []).length + 2;
    if (counts.length !== bins) refuse(`counts must be ${bins}: with one for missing values`);
  });

export const baselineSchema = z.strictObject({
  rows: z.number().int().positive().describe("How many inputs the data had."),
  quantities: z.array(quantity).min(1).max(MOST_QUANTITIES),
});

/** How the values of training were distributed, in bins that never change. */
export type Baseline = z.output<typeof baselineSchema>;
/** The bins of one quantity, with what they had in training. */
export type BaselineQuantity = Baseline["quantities"][number];
