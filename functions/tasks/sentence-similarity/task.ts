import * as z from "zod";
import { defineTask } from "../define.ts";
import { textOptions } from "../text/options.ts";

export const sentenceSimilarity = defineTask({
  name: "sentence-similarity",
  about:
    "A sentence and others in, how alike it is to each of them out: the cosines of their vectors, from -1 to 1.",
  options: textOptions,
  parameters: z.strictObject({
    prompt_name: z
      .string()
      .optional()
      .describe("The name of the model's prompt that goes before each text."),
  }),
  input: "json",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: () => ({
    input: {
      type: "object",
      required: ["source_sentence", "sentences"],
      properties: {
        source_sentence: { type: "string" },
        sentences: { type: "array", minItems: 1, items: { type: "string" } },
      },
      additionalProperties: false,
    },
    output: {
      type: "array",
      description: "A number for each of the sentences, in their order.",
      items: { type: "number" },
    },
  }),
  examples: () => [
    {
      source_sentence: "A lamp gives light.",
      sentences: ["The lamp is bright.", "Bread is baked.", ""],
    },
  ],
  async quality() {
    const { similarityQuality } = await import("./quality.ts");
    return similarityQuality;
  },
});
