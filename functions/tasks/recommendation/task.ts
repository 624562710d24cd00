import { defineTask } from "../define.ts";
import type { Recommendation } from "./compile.ts";
import { recommendationOptions, recommendationParameters } from "./options.ts";

export const recommendation = defineTask({
  name: "recommendation",
  about: "A basket of item ids in, the items that go best with it out.",
  options: recommendationOptions,
  parameters: recommendationParameters,
  input: "json",
  async compile({ manifest, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, assets);
  },
  schema: () => ({
    input: {
      type: "array",
      minItems: 1,
      items: { type: "string" },
      description: "The ids of the items in the basket.",
    },
    output: {
      type: "array",
      items: {
        type: "object",
        required: ["id", "name", "score"],
        properties: {
          id: { type: "string" },
          name: { type: "string" },
          score: { type: "number" },
        },
      },
    },
  }),
  async quality(_manifest, { k }) {
    const { hitRate } = await import("./metrics.ts");
    return {
      parameters: { top_k: k },
      metrics(truths, answers) {
        const heldOut = truths.map((truth) => [truth].flat().map(String));
        const given = (answers as Recommendation[][]).map((items) => items.map(({ id }) => id));
        return { [`hit_rate_at_${k}`]: hitRate(heldOut, given) };
      },
    };
  },
});
