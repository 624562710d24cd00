import * as z from "zod";
import type { LongTexts } from "../../tasks/define.ts";
import { listOfAny } from "../lists.ts";
import { similarityInputs } from "../similarity.ts";
import { cutOn, truncationDirection } from "../truncation.ts";
import { isTexts } from "../vectors.ts";

const TEXTS = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };

const model = z
  .string()
  .nullish()
  .describe("The deployment's default or only model of the task, when absent.");
const truncate = z
  .boolean()
  .nullish()
  .describe("Whether texts of more tokens than the model takes are cut. They are refused: no.");
const texts = z
  .custom<string | string[]>(
    isTexts,
    "must be a string or an array of strings: token ids belong to another tokenizer",
  )
  .meta(TEXTS);
const promptName = z.string().nullish().describe("The model's prompt that goes before each text.");

const truncation = { truncate, truncation_direction: truncationDirection };

const shared = { model, ...truncation };

/** What to do with long texts, by a request's parameters. */
export function longTextsOf(asked: Partial<z.infer<z.ZodObject<typeof truncation>>>): LongTexts {
  return asked.truncate ? cutOn(asked.truncation_direction) : "refuse";
}

export const rerankRequest = z.strictObject({
  ...shared,
  query: z.string(),
  texts: listOfAny({ type: "string" }),
  raw_scores: z.boolean().nullish(),
  return_text: z.boolean().nullish(),
});

/** The body of /embed_all and of /embed_sparse. */
export const embedAllRequest = z.strictObject({
  ...shared,
  inputs: texts,
  prompt_name: promptName,
});

export const embedRequest = z.strictObject({
  ...embedAllRequest.shape,
  normalize: z.boolean().nullish().describe("Whether vectors have length 1: yes."),
  dimensions: z.number().int().positive().nullish(),
});

export const tokenizeRequest = z.strictObject({
  model,
  inputs: texts,
  add_special_tokens: z
    .boolean()
    .nullish()
    .describe("Whether the tokens around a text are listed too: yes."),
  prompt_name: promptName,
});

const ids = { type: "array", items: { type: "integer" } };

export const decodeRequest = z.strictObject({
  model,
  ids: listOfAny({ anyOf: [{ type: "integer" }, ids] }),
  skip_special_tokens: z.boolean().nullish().describe("Whether special tokens are left out: yes."),
});

const PAIR = { type: "array", items: { type: "string" }, minItems: 1, maxItems: 2 };

export const predictRequest = z.strictObject({
  ...shared,
  inputs: z
    .custom<string | unknown[]>(
      (inputs) => typeof inputs === "string" || (Array.isArray(inputs) && inputs.length > 0),
      "must be a string, a pair of strings, or an array of arrays with one or two strings",
    )
    .meta({ anyOf: [{ type: "string" }, PAIR, { type: "array", items: PAIR }] }),
  raw_scores: z.boolean().nullish(),
  /** Clients of Hugging Face send it. */
  parameters: z.strictObject({ top_k: z.number().int().positive().nullish() }).nullish(),
});

export const similarityRequest = z.strictObject({
  model,
  inputs: similarityInputs,
  parameters: z
    .strictObject({
      ...truncation,
      prompt_name: promptName,
    })
    .nullish(),
});
