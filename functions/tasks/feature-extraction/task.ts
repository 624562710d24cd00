import * as z from "zod";
import { defineTask } from "../define.ts";
import { PRECISIONS } from "./forms.ts";
import { SPARSE_VECTOR, TEXT_SCHEMA, textExamples, textOptions } from "../text/options.ts";

export const featureExtraction = defineTask({
  name: "feature-extraction",
  about:
    'A text in, its vector out. With `"pooling": "none"` a vector for each token, with `"splade"` a sparse vector.',
  options: textOptions,
  parameters: z.strictObject({
    prompt_name: z
      .string()
      .optional()
      .describe("The name of the model's prompt that goes before each text."),
    dimensions: z
      .number()
      .int()
      .positive()
      .optional()
      .describe(
        "How many numbers of a vector, for a model with `text.matryoshka`. Vectors of length 1 have it again.",
      ),
    precision: z
      .enum(PRECISIONS)
      .optional()
      .describe(
        "The kind of numbers, as `quantize_embeddings` of sentence-transformers makes them. `int8` and `uint8` need `text.ranges`; `binary` and `ubinary` pack eight bits into a number.",
      ),
  }),
  input: "text",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: ({ text, outputs: [output] }) => ({
    input: TEXT_SCHEMA,
    output:
      text?.pooling === "splade"
        ? SPARSE_VECTOR
        : text?.pooling === "none" && output?.shape.length === 3
          ? { type: "array", items: VECTOR, description: "A vector for each token of the text." }
          : { ...VECTOR, description: "The text's vector." },
  }),
  examples: textExamples,
  async quality({ text }, { k, parameters }) {
    if (text?.pooling === "none") return undefined;
    const { vectorQuality } = await import("./quality.ts");
    return vectorQuality(k, text, parameters);
  },
});

const VECTOR = { type: "array", items: { type: "number" } };
