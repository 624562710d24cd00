import { invalidInput, type InputIssue, type InputIssues } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { PathOf } from "../define.ts";
import { textIssue } from "../text/problem.ts";
import type { ZeroShotParameters } from "./options.ts";

/** A text, its labels, and their names in error messages. */
export interface Given {
  text: string;
  path: string;
  labels: string[];
  labelsPath: string;
}

/** Reads the inputs: texts for the labels of the request, or texts with their own. */
export function readInputs(
  rows: readonly unknown[],
  pathOf: PathOf,
  { candidate_labels: shared }: ZeroShotParameters,
  limits: Limits,
  issues: InputIssues,
): Given[] {
  const sharedPath = "parameters.candidate_labels";
  if (shared) labelIssues(shared, sharedPath, limits).forEach((one) => issues.push(one));
  return rows.flatMap((row, input) => {
    const path = pathOf(input);
    if (typeof row === "object" && row !== null && !Array.isArray(row))
      return readOwn(row as Record<string, unknown>, path, limits, issues);
    textIssue(row, path, limits).forEach((one) => issues.push(one));
    if (!shared) issues.push({ path: sharedPath, message: "is missing, and the input has none" });
    return { text: String(row), path, labels: shared ?? [], labelsPath: sharedPath };
  });
}

function readOwn(
  { text, candidate_labels: labels, ...others }: Record<string, unknown>,
  path: string,
  limits: Limits,
  issues: InputIssues,
): Given {
  for (const name of Object.keys(others))
    issues.push({ path: `${path}.${name}`, message: "is neither text nor candidate_labels" });
  textIssue(text, `${path}.text`, limits).forEach((one) => issues.push(one));
  const labelsPath = `${path}.candidate_labels`;
  labelIssues(labels, labelsPath, limits).forEach((one) => issues.push(one));
  return { text: String(text), path: `${path}.text`, labels: labels as string[], labelsPath };
}

function labelIssues(labels: unknown, path: string, limits: Limits): InputIssue[] {
  if (!Array.isArray(labels) || labels.length === 0)
    return [{ path, message: "must be an array of at least one string" }];
  if (labels.length > limits.batch)
    return [{ path, message: `must have at most ${limits.batch} labels, has ${labels.length}` }];
  return labels.flatMap((label, index) => textIssue(label, `${path}[${index}]`, limits));
}

/** Throws `invalid_input` for more labels in all than `most`. `why` says what each of them costs. */
export function checkLabelCount(
  given: readonly { labels: readonly string[] }[],
  most: number,
  why: string,
): void {
  const count = given.reduce((sum, { labels }) => sum + labels.length, 0);
  if (count <= most) return;
  const message = `must have at most ${most} labels in all, have ${count}: ${why}`;
  throw invalidInput([{ path: "inputs", message }]);
}
