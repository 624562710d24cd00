import * as z from "zod";
import type { Manifest } from "../../model/manifest.ts";
import { NAME_PATTERN } from "../../model/name.ts";
import type { JsonSchema } from "../define.ts";

const asset = z.string().regex(NAME_PATTERN);

const text = z.strictObject({
  tokenizer: asset,
  tokenizerConfig: asset.optional(),
  maxLength: z.number().int().positive(),
  /** Feature extraction: how token vectors become one. */
  pooling: z.enum(["mean", "cls", "none"]).optional(),
  /** Feature extraction: whether vectors have length one. */
  normalize: z.boolean().optional(),
});

export const textOptions = {
  /** Text tasks whose tokenizer is not in the graph; files are assets. */
  text: text.optional(),
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
