import * as z from "zod";
import type { LongTexts } from "../tasks/define.ts";

/** Which side of a long text Hugging Face's clients want to be cut off. */
export const truncationDirection = z
  .enum(["Left", "left", "Right", "right"])
  .nullish()
  .describe("The side on which long texts are cut: that of the model's tokenizer, when absent.");

export function cutOn(direction: z.infer<typeof truncationDirection>): LongTexts {
  if (!direction) return "cut";
  return direction.toLowerCase() === "left" ? "cut-left" : "cut-right";
}
