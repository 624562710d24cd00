import { classificationOptions, classificationParameters } from "../classification/options.ts";
import { classificationQuality } from "../classification/quality.ts";
import { classificationSchema } from "../classification/schema.ts";
import { defineTask } from "../define.ts";
import { TEXT_SCHEMA, textExamples, textOptions } from "../text/options.ts";

export const textClassification = defineTask({
  name: "text-classification",
  about: "A text in, a label out.",
  options: { ...classificationOptions, ...textOptions },
  parameters: classificationParameters,
  input: "text",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: (manifest) => ({ input: TEXT_SCHEMA, output: classificationSchema(manifest) }),
  examples: textExamples,
  quality: classificationQuality,
});
