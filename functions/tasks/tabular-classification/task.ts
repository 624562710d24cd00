import { classificationOptions, classificationParameters } from "../classification/options.ts";
import { classificationQuality } from "../classification/quality.ts";
import { classificationSchema } from "../classification/schema.ts";
import { defineTask } from "../define.ts";
import { featureExamples, featuresSchema } from "../tabular/inputs.ts";

export const tabularClassification = defineTask({
  name: "tabular-classification",
  about: "Named features in, a label out.",
  options: classificationOptions,
  parameters: classificationParameters,
  input: "features",
  async compile({ manifest, limits }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits);
  },
  schema: (manifest) => ({
    input: featuresSchema(manifest),
    output: classificationSchema(manifest),
  }),
  examples: featureExamples,
  quality: classificationQuality,
});
