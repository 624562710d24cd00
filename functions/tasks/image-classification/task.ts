import { classificationOptions, classificationParameters } from "../classification/options.ts";
import { classificationQuality } from "../classification/quality.ts";
import { classificationSchema } from "../classification/schema.ts";
import { defineTask } from "../define.ts";
import { imageOptions } from "../image/options.ts";

/** A PNG of 32 × 32 pixels: red grows to the right, green downwards, blue along both. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAo0lEQVR42rXNEReDUBiA4a9zggtBMAiCC0EwCAZBEARBcGEQBMEgCIIgGAzD4XA4DMPhMAzD4XDYr3jPefyxRESJzbFE2XDgKjjwHDjQLhyEBziIPDiIfThINRzkARyYEA7KIxzUERw0JzjoYjgYEji4pXAwZnBwz+HgUcDB08DB6wwHUwkHcwUH7xoOPhc4WBo4WFs42Do4+PZw8Bvg4H9Fgx1NpUXh4t7ZAAAAAABJRU5ErkJggg==";

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
    input: {
      type: "string",
      contentEncoding: "base64",
      description: "A JPEG, PNG or WebP image in base64.",
    },
    output: classificationSchema(manifest),
  }),
  examples: () => [PICTURE],
  quality: classificationQuality,
});
