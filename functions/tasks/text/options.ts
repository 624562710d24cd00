import * as z from "zod";
import type { Manifest } from "../../model/manifest.ts";
import { NAME_PATTERN } from "../../model/name.ts";
import type { JsonSchema } from "../define.ts";

const asset = z.string().regex(NAME_PATTERN);

/** The ways to make one vector from those of a text's tokens, by their names in sentence-transformers. */
export const POOLINGS = [
  "mean",
  "cls",
  "max",
  "mean_sqrt_len_tokens",
  "weightedmean",
  "lasttoken",
] as const;
export type Pooling = (typeof POOLINGS)[number];

const text = z
  .strictObject({
    tokenizer: asset.describe("The asset `tokenizer.json`."),
    tokenizerConfig: asset
      .optional()
      .describe(
        "The asset `tokenizer_config.json`: its settings go before those of `tokenizer.json`, as in transformers.",
      ),
    maxLength: z
      .number()
      .int()
      .positive()
      .describe(
        "Most tokens of one text, or of a pair together. The special ones count: three of a BERT's pair.",
      ),
    lowercase: z
      .boolean()
      .optional()
      .describe("Lower-cases texts before the tokenizer's own steps."),
    prompts: z
      .record(z.string().min(1), z.string())
      .optional()
      .describe(
        "Feature extraction: prompts by name. The parameter `prompt_name` of a request puts one before its texts.",
      ),
    defaultPrompt: z
      .string()
      .optional()
      .describe("The name of the prompt for requests without `prompt_name`. None when absent."),
    pooling: z
      .enum([...POOLINGS, "splade", "none"])
      .optional()
      .describe(
        "Feature extraction: how the tokens' vectors become one: their mean, the first one (`cls`), the last one, the largest numbers, the sum over the root of their count, or a mean in which later tokens count more. `splade` makes a sparse vector of a masked language model's numbers: `[{index, value}]`, where `index` is a token of the vocabulary and `value` the logarithm of 1 + its largest number; those of 0 are left out. `none` keeps all of them.",
      ),
    normalize: z
      .boolean()
      .optional()
      .describe("Feature extraction: whether vectors are scaled to length 1."),
    dimensions: z
      .number()
      .int()
      .positive()
      .optional()
      .describe(
        "Feature extraction: how many numbers of a vector the answer has. All when absent.",
      ),
    matryoshka: z
      .union([z.literal(true), z.array(z.number().int().positive()).min(1)])
      .optional()
      .describe(
        "Feature extraction: that the first numbers of a vector are a vector of their own, so that a request may ask for fewer (`dimensions`). A list names how many.",
      ),
    ranges: z
      .tuple([z.array(z.number()).min(1), z.array(z.number()).min(1)])
      .optional()
      .describe(
        "Feature extraction: the least number at each place of a vector, and the largest one, over many texts. For vectors of `int8` and `uint8`.",
      ),
  })
  .refine(
    ({ prompts = {}, defaultPrompt }) =>
      defaultPrompt === undefined || Object.hasOwn(prompts, defaultPrompt),
    { path: ["defaultPrompt"], message: "is not a name in text.prompts" },
  );

export const textOptions = {
  text: text.optional().describe("For graphs that take tokens. Absent for graphs that take text."),
};

export type TextOptions = z.output<typeof text>;

/** One text, for the API's description. */
export const TEXT_SCHEMA: JsonSchema = {
  type: "string",
  minLength: 1,
  pattern: "^[^\\u0000]*$",
  description: "A text.",
};

/** A sparse vector, for the API's description. */
export const SPARSE_VECTOR: JsonSchema = {
  type: "array",
  description: "The numbers of the text's vector that are not 0, by token of the vocabulary.",
  items: {
    type: "object",
    required: ["index", "value"],
    properties: { index: { type: "integer" }, value: { type: "number" } },
  },
};

export function textExamples(_manifest: Manifest): unknown[] {
  return ["This is the first example.", "Café déjà vu 👍", "no"];
}
