import type { InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";

/** What is wrong with a text that goes into the graph unchanged, in words. Undefined when it is right. */
export function textProblem(
  value: unknown,
  { textLength }: Pick<Limits, "textLength">,
): string | undefined {
  if (typeof value !== "string") return "must be a string";
  // In ONNX Runtime's JavaScript, a string ends at the first NUL. The rest would be lost silently.
  if (value.includes("\0")) return "must not contain a NUL character";
  if (value.length > textLength)
    return `must have at most ${textLength} characters, has ${value.length}`;
  return undefined;
}

/** What is wrong with a text for a tokenizer: at most one issue. */
export function textIssue(value: unknown, path: string, { textLength }: Limits): InputIssue[] {
  if (typeof value !== "string") return [{ path, message: "must be a string" }];
  if (value.length <= textLength) return [];
  return [{ path, message: `must have at most ${textLength} characters, has ${value.length}` }];
}
