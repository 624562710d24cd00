import type { Limits } from "../../model/limits.ts";

/** What is wrong with a text that goes into the graph unchanged, in words. Undefined when it is right. */
export function textProblem(value: unknown, { textLength }: Limits): string | undefined {
  if (typeof value !== "string") return "must be a string";
  // In ONNX Runtime's JavaScript, a string ends at the first NUL. The rest would be lost silently.
  if (value.includes("\0")) return "must not contain a NUL character";
  if (value.length > textLength)
    return `must have at most ${textLength} characters, has ${value.length}`;
  return undefined;
}
