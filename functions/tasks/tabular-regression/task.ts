import * as z from "zod";
import { defineTask } from "../define.ts";
import { featureExamples, featuresSchema } from "../tabular/inputs.ts";
import { regressionOptions } from "./options.ts";

export const tabularRegression = defineTask({
  name: "tabular-regression",
  about: "Named features in, a number out.",
  options: regressionOptions,
  parameters: z.strictObject({}),
  input: "features",
  async compile({ manifest, limits }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits);
  },
  schema: (manifest) => ({
    input: featuresSchema(manifest),
    output: {
      type: "object",
      required: ["value"],
      properties: {
        value: { type: "number" },
        ...(manifest.regression.unit && { unit: { const: manifest.regression.unit } }),
      },
    },
  }),
  examples: featureExamples,
  async quality() {
    const { regressionQuality } = await import("../regression/quality.ts");
    return regressionQuality;
  },
});
