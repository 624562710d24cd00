import * as z from "zod";
import type { Manifest } from "../../model/manifest.ts";
import { NAME_PATTERN } from "../../model/name.ts";
import type { JsonSchema } from "../define.ts";

const asset = z.string().regex(NAME_PATTERN);

const text = z.strictObject({
  tokenizer: asset.describe("The asset `tokenizer.json`."),
  tokenizerConfig: asset.optional().describe("The asset `tokenizer_config.json`."),
  maxLength: z.number().int().positive().describe("Most tokens of one text."),
  pooling: z
    .enum(["mean", "cls", "none"])
    .optional()
    .describe("Feature extraction: how the tokens' vectors become one."),
  normalize: z
    .boolean()
    .optional()
    .describe("Feature extraction: whether vectors get the length 1."),
});

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

export function textExamples(_manifest: Manifest): unknown[] {
  return ["This is the first example.", "Café déjà vu 👍", "no"];
}
