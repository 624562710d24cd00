import * as z from "zod";
import { defineTask } from "../define.ts";
import { IMAGE_SCHEMA, imageOptions, PICTURE } from "../image/options.ts";
import { imageVectorOptions } from "./options.ts";

const VECTOR = { type: "array", items: { type: "number" } };

export const imageFeatureExtraction = defineTask({
  name: "image-feature-extraction",
  about: "A JPEG, PNG or WebP in, as bytes or as base64 in JSON, its vector out.",
  options: { ...imageOptions, ...imageVectorOptions },
  parameters: z.strictObject({}),
  input: "image",
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: ({ vector }) => ({
    input: IMAGE_SCHEMA,
    output:
      vector.pooling === "none"
        ? { type: "array", items: VECTOR, description: "A vector for each part of the image." }
        : { ...VECTOR, description: "The image's vector." },
  }),
  examples: () => [PICTURE],
  async quality({ vector }, { k }) {
    if (vector.pooling === "none") return undefined;
    const { imageVectorQuality } = await import("./quality.ts");
    return imageVectorQuality(k);
  },
});
