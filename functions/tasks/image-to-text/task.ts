import * as z from "zod";
import { defineTask } from "../define.ts";
import { IMAGE_SCHEMA, PICTURE } from "../image/options.ts";
import { imageToTextOptions } from "./options.ts";

export const imageToText = defineTask({
  name: "image-to-text",
  about: "A JPEG, PNG or WebP of a line of text in, as bytes or as base64 in JSON, its text out.",
  options: imageToTextOptions,
  parameters: z.strictObject({}),
  input: "image",
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: ({ recognition }) => ({
    input: IMAGE_SCHEMA,
    output: {
      type: "object",
      required: ["generated_text", ...(recognition.activation ? ["score"] : [])],
      properties: {
        generated_text: { type: "string" },
        ...(recognition.activation && {
          score: {
            type: "number",
            description: "The mean probability of the text's characters. 0 where it has none.",
          },
        }),
      },
    },
  }),
  examples: () => [PICTURE],
  async quality() {
    const { recognitionQuality } = await import("./quality.ts");
    return recognitionQuality();
  },
});
