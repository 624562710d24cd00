import * as z from "zod";
import { defineTask } from "../define.ts";
import { TEXT_SCHEMA, textExamples } from "../text/options.ts";
import { textRegressionOptions } from "./options.ts";

export const textRegression = defineTask({
  name: "text-regression",
  about: "A text or a pair of texts in, a number out: similarities, ratings, rerankers.",
  options: textRegressionOptions,
  parameters: z.strictObject({}),
  input: "text",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: ({ labels }) => ({
    input: TEXT_SCHEMA,
    output: labels
      ? {
          type: "object",
          required: ["values"],
          properties: {
            values: {
              type: "object",
              required: labels,
              properties: Object.fromEntries(labels.map((label) => [label, { type: "number" }])),
              additionalProperties: false,
            },
          },
        }
      : { type: "object", required: ["value"], properties: { value: { type: "number" } } },
  }),
  examples: textExamples,
  async quality({ labels }) {
    if (labels) throw new Error("a model that answers with several numbers cannot be judged");
    const { regressionQuality } = await import("../regression/quality.ts");
    return regressionQuality;
  },
});
