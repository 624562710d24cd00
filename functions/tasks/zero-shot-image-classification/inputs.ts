import type { InputIssue, InputIssues } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { PathOf } from "../define.ts";
import { textIssue } from "../text/problem.ts";
import type { ZeroShotImageParameters } from "./options.ts";

/** A picture and its labels, and their names in error messages. */
export interface Given {
  /** The file's bytes, or base64. It was not looked at. */
  image: unknown;
  path: string;
  labels: readonly string[];
  labelsPath: string;
}

/** Reads the inputs: pictures for the labels of the request, or pictures with their own. Decodes nothing. */
export function readInputs(
  rows: readonly unknown[],
  pathOf: PathOf,
  { candidate_labels: shared }: ZeroShotImageParameters,
  limits: Limits,
  issues: InputIssues,
): Given[] {
  const sharedPath = "parameters.candidate_labels";
  if (shared) labelIssues(shared, sharedPath, limits).forEach((one) => issues.push(one));
  return rows.map((row, input): Given => {
    const path = pathOf(input);
    const isObject = typeof row === "object" && row !== null && !(row instanceof Uint8Array);
    const {
      image,
      candidate_labels: own,
      ...others
    } = isObject && !Array.isArray(row) ? (row as Record<string, unknown>) : { image: row };
    for (const name of Object.keys(others))
      issues.push({ path: `${path}.${name}`, message: "is neither image nor candidate_labels" });
    const imagePath = image === row ? path : `${path}.image`;
    if (own !== undefined) {
      const labelsPath = `${path}.candidate_labels`;
      labelIssues(own, labelsPath, limits).forEach((one) => issues.push(one));
      return { image, path: imagePath, labels: own as string[], labelsPath };
    }
    if (!shared) issues.push({ path: sharedPath, message: "is missing, and the input has none" });
    return { image, path: imagePath, labels: shared ?? [], labelsPath: sharedPath };
  });
}

function labelIssues(labels: unknown, path: string, limits: Limits): InputIssue[] {
  if (!Array.isArray(labels) || labels.length === 0)
    return [{ path, message: "must be an array of at least one string" }];
  if (labels.length > limits.batch)
    return [{ path, message: `must have at most ${limits.batch} labels, has ${labels.length}` }];
  const first = new Map<unknown, number>();
  return labels.flatMap((label, index) => {
    const here = `${path}[${index}]`;
    const before = first.get(label);
    if (before === undefined) first.set(label, index);
    else return [{ path: here, message: `is the same label as candidate_labels[${before}]` }];
    if (typeof label === "string" && label.trim() === "")
      return [{ path: here, message: "must not be empty" }];
    return textIssue(label, here, limits);
  });
}
