import { defineTask } from "../define.ts";
import { IMAGE_SCHEMA, PICTURE } from "../image/options.ts";
import { SCORED_LABELS } from "../zero-shot-classification/answers.ts";
import { zeroShotImageOptions, zeroShotImageParameters } from "./options.ts";

export const zeroShotImageClassification = defineTask({
  name: "zero-shot-image-classification",
  about:
    "A JPEG, PNG or WebP and labels of the caller's choice in, the labels with their scores out: models that compare pictures with texts, such as CLIP and SigLIP.",
  options: zeroShotImageOptions,
  parameters: zeroShotImageParameters,
  input: "image",
  hasOwnBatches: true,
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: () => ({
    input: {
      anyOf: [
        IMAGE_SCHEMA,
        {
          type: "object",
          description: "An image, with labels of its own or for those of the request.",
          required: ["image"],
          properties: {
            image: IMAGE_SCHEMA,
            candidate_labels: {
              type: "array",
              minItems: 1,
              uniqueItems: true,
              items: { type: "string" },
            },
          },
          additionalProperties: false,
        },
      ],
    },
    output: SCORED_LABELS,
  }),
  examples: () => [
    { image: PICTURE, candidate_labels: ["a slope of colours", "a cat", "a red bus"] },
  ],
  async quality() {
    const { zeroShotQuality } = await import("../zero-shot-classification/quality.ts");
    return { ...zeroShotQuality(), rows: 1 };
  },
});
