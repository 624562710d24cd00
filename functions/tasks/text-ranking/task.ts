import { defineTask } from "../define.ts";
import { textRankingOptions, textRankingParameters } from "./options.ts";

export const textRanking = defineTask({
  name: "text-ranking",
  about: "A query and texts in, the texts by how well they answer it out: cross-encoders.",
  options: textRankingOptions,
  parameters: textRankingParameters,
  input: "json",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: () => ({
    input: {
      type: "object",
      required: ["query", "texts"],
      properties: {
        query: { type: "string" },
        texts: { type: "array", minItems: 1, items: { type: "string" } },
      },
      additionalProperties: false,
    },
    output: {
      type: "array",
      description: "The texts, best first.",
      items: {
        type: "object",
        required: ["index", "score"],
        properties: {
          index: { type: "integer", description: "The text's place in the request, from 0." },
          score: { type: "number" },
          text: { type: "string", description: "With `return_text`." },
        },
      },
    },
  }),
  examples: () => [
    { query: "What is a lamp?", texts: ["A lamp gives light.", "Bread is baked.", ""] },
  ],
  async quality(_manifest, { k }) {
    const { rankingQuality } = await import("./quality.ts");
    return rankingQuality(k);
  },
});
