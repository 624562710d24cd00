import * as z from "zod";
import { NAME_PATTERN } from "../../model/name.ts";
import { defineTask } from "../define.ts";
import type { Recommendation } from "./compile.ts";

export const recommendationOptions = {
  recommendation: z.strictObject({
    catalogue: z
      .string()
      .regex(NAME_PATTERN)
      .describe("The asset that lists the items, in the order of the output's columns."),
    output: z.string().describe("The output with a score for each item."),
  }),
};

const parameters = z.strictObject({
  top_k: z
    .number()
    .int()
    .positive()
    .default(10)
    .describe("How many items to answer with, at most."),
});

export type RecommendationParameters = z.output<typeof parameters>;

export const recommendation = defineTask({
  name: "recommendation",
  about: "A basket of item ids in, the items that go best with it out.",
  options: recommendationOptions,
  parameters,
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
