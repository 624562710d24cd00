import * as z from "zod";
import { defineTask, type JsonSchema } from "../define.ts";
import { featureExamples, featuresSchema } from "../tabular/inputs.ts";
import { regressionSchema } from "../regression/answers.ts";
import { regressionOptions } from "./options.ts";

export const tabularRegression = defineTask({
  name: "tabular-regression",
  about: "Named features in, a number out, or several: targets, quantiles.",
  options: regressionOptions,
  parameters: z.strictObject({}),
  input: "features",
  async compile({ manifest, limits }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits);
  },
  schema: (manifest) => {
    const { labels, regression } = manifest;
    return {
      input: featuresSchema(manifest),
      output: withUnit(regressionSchema(labels), regression.unit),
    };
  },
  examples: featureExamples,
  async quality({ labels }) {
    const { regressionQuality } = await import("../regression/quality.ts");
    return regressionQuality(labels);
  },
});

function withUnit(schema: JsonSchema, unit: string | undefined): JsonSchema {
  const properties = schema["properties"] as object;
  return unit === undefined
    ? schema
    : { ...schema, properties: { ...properties, unit: { const: unit } } };
}
