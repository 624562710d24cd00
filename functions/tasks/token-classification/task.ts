import { defineTask } from "../define.ts";
import { TEXT_SCHEMA, textExamples } from "../text/options.ts";
import { tokenClassificationOptions, tokenClassificationParameters } from "./options.ts";

export const tokenClassification = defineTask({
  name: "token-classification",
  about:
    "A text in, its entities out: names, places, parts of speech. `start` and `end` count Unicode characters, as Python and Hugging Face do.",
  options: tokenClassificationOptions,
  parameters: tokenClassificationParameters,
  input: "text",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: ({ labels = [] }) => ({
    input: TEXT_SCHEMA,
    output: {
      type: "array",
      items: {
        type: "object",
        required: ["score", "word", "start", "end"],
        properties: {
          entity_group: {
            type: "string",
            enum: [...new Set(labels.map((label) => label.replace(/^[^-]*-/, "")))],
            description: "The label of joined tokens.",
          },
          entity: {
            type: "string",
            enum: labels,
            description: "The label of a token, with `aggregation_strategy` none.",
          },
          score: { type: "number" },
          index: { type: "integer", description: "The number of the token, with `none`." },
          word: { type: "string" },
          start: { type: "integer", description: "The first character, from 0." },
          end: { type: "integer", description: "One after the last character." },
        },
      },
    },
  }),
  examples: textExamples,
  async quality({ labels = [] }) {
    const { entityQuality } = await import("./quality.ts");
    return entityQuality(labels);
  },
});
