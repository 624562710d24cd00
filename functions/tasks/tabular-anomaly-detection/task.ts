import * as z from "zod";
import { defineTask } from "../define.ts";
import { featureExamples, featuresSchema } from "../tabular/inputs.ts";
import { anomalyOptions } from "./options.ts";

export const tabularAnomalyDetection = defineTask({
  name: "tabular-anomaly-detection",
  about: "Named features in, whether the row is unusual out.",
  options: anomalyOptions,
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
      required: ["anomaly", "score"],
      properties: {
        anomaly: { type: "boolean" },
        score: {
          type: "number",
          description: `Unusual ${manifest.anomaly.side} ${manifest.anomaly.threshold}.`,
        },
      },
    },
  }),
  examples: featureExamples,
  async quality(manifest) {
    const { anomalyQuality } = await import("./quality.ts");
    return anomalyQuality(manifest.anomaly.side);
  },
});
