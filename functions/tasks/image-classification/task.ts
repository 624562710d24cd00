import { classificationOptions, classificationParameters } from "../classification/options.ts";
import { classificationQuality } from "../classification/quality.ts";
import { classificationSchema } from "../classification/schema.ts";
import { defineTask } from "../define.ts";
import { IMAGE_SCHEMA, imageOptions, PICTURE } from "../image/options.ts";

export const imageClassification = defineTask({
  name: "image-classification",
  about: "A JPEG, PNG or WebP in, as bytes or as base64 in JSON, a label out.",
  options: { ...classificationOptions, ...imageOptions },
  parameters: classificationParameters,
  input: "image",
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: (manifest) => ({
    input: IMAGE_SCHEMA,
    output: classificationSchema(manifest),
  }),
  examples: () => [PICTURE],
  quality: classificationQuality,
});
