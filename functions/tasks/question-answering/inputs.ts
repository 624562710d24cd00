import type { InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { GivenText } from "../text/aligned/windowed.ts";
import { textIssue } from "../text/problem.ts";

/** A question, and the text to look for its answer in. */
export interface QuestionInput {
  question: string;
  context: string;
}

/** Reads an input. What is wrong with it is added to `issues`. */
export function readQuestion(
  row: unknown,
  path: string,
  limits: Limits,
  issues: InputIssue[],
): GivenText {
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    issues.push({ path, message: "must be an object of question and context" });
    return { text: "", path };
  }
  const { question, context, ...others } = row as Record<string, unknown>;
  for (const name of Object.keys(others))
    issues.push({ path: `${path}.${name}`, message: "is neither question nor context" });
  const read = (value: unknown, at: string): string => {
    const own =
      value === "" ? [{ path: at, message: "must not be empty" }] : textIssue(value, at, limits);
    issues.push(...own);
    return typeof value === "string" ? value : "";
  };
  const [first, last] = [`${path}.question`, `${path}.context`];
  return {
    before: { text: read(question, first), path: first },
    text: read(context, last),
    path: last,
  };
}
