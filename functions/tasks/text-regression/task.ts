import * as z from "zod";
import { defineTask } from "../define.ts";
import { regressionSchema } from "../regression/answers.ts";
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
    output: regressionSchema(labels),
  }),
  examples: textExamples,
  async quality({ labels }) {
    const { regressionQuality } = await import("../regression/quality.ts");
    return regressionQuality(labels);
  },
});
