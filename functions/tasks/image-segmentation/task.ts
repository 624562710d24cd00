import { defineTask } from "../define.ts";
import { IMAGE_SCHEMA, PICTURE } from "../image/options.ts";
import { imageSegmentationOptions, imageSegmentationParameters } from "./options.ts";

const MASK = {
  oneOf: [
    {
      type: "string",
      contentEncoding: "base64",
      description: "A grey PNG of the picture's size, white where the mask is.",
    },
    {
      type: "object",
      description: "COCO's compressed run-length code, with `encoding` rle.",
      required: ["size", "counts"],
      properties: {
        size: {
          type: "array",
          items: { type: "integer" },
          minItems: 2,
          maxItems: 2,
          description: "Height and width.",
        },
        counts: { type: "string" },
      },
    },
  ],
};

export const imageSegmentation = defineTask({
  name: "image-segmentation",
  about:
    "A JPEG, PNG or WebP in, as bytes or as base64 in JSON, what each of its pixels belongs to out: labels, and masks in the picture's pixels.",
  options: imageSegmentationOptions,
  parameters: imageSegmentationParameters,
  input: "image",
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: ({ labels = [] }) => ({
    input: IMAGE_SCHEMA,
    output: {
      type: "array",
      description:
        "An item for each label that a pixel has. Of models with `segmentation.classes`, an item for each segment, with a score unless the subtask is `semantic`.",
      items: {
        type: "object",
        required: ["label", "mask"],
        properties: {
          label: { type: "string", enum: labels },
          score: { type: "number" },
          mask: MASK,
        },
      },
    },
  }),
  examples: () => [PICTURE],
  async quality({ labels = [] }) {
    const { segmentationQuality } = await import("./quality.ts");
    return segmentationQuality(labels);
  },
});
