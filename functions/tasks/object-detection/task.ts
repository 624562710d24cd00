import { defineTask } from "../define.ts";
import { IMAGE_SCHEMA, PICTURE } from "../image/options.ts";
import { objectDetectionOptions, objectDetectionParameters } from "./options.ts";

const PIXELS = {
  type: "integer",
  description: "In pixels of the picture, from its upper left corner.",
};

export const objectDetection = defineTask({
  name: "object-detection",
  about:
    "A JPEG, PNG or WebP in, as bytes or as base64 in JSON, what is in it out: labels, and boxes in the picture's pixels.",
  options: objectDetectionOptions,
  parameters: objectDetectionParameters,
  input: "image",
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: ({ labels = [], detection }) => ({
    input: IMAGE_SCHEMA,
    output: {
      type: "array",
      maxItems: detection.maxDetections,
      description: "The highest score first.",
      items: {
        type: "object",
        required: ["label", "score", "box"],
        properties: {
          label: { type: "string", enum: labels },
          score: { type: "number" },
          box: {
            type: "object",
            required: ["xmin", "ymin", "xmax", "ymax"],
            properties: { xmin: PIXELS, ymin: PIXELS, xmax: PIXELS, ymax: PIXELS },
          },
        },
      },
    },
  }),
  examples: () => [PICTURE],
  async quality({ labels = [] }) {
    const { detectionQuality } = await import("./quality.ts");
    return detectionQuality(labels);
  },
});
