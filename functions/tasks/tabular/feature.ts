import type { Limits } from "../../model/limits.ts";
import type { Feature } from "../../model/manifest.ts";
import type { Datatype } from "../../tensor.ts";
import { textProblem } from "../text/problem.ts";

/** What is wrong with a feature's value for an input of the datatype, in words. Undefined when it is right. */
export function problemWith(
  value: unknown,
  feature: Feature,
  datatype: Datatype,
  limits: Pick<Limits, "textLength">,
): string | undefined {
  if (feature.type === "boolean")
    return typeof value === "boolean" ? undefined : "must be true or false";
  if (feature.type === "string") return textProblem(value, limits) ?? notOneOf(value, feature);
  return notInRange(value, feature, datatype);
}

function notOneOf(value: unknown, { categories }: Feature): string | undefined {
  return !categories || categories.includes(value as string)
    ? undefined
    : `must be one of ${categories.map((category) => JSON.stringify(category)).join(", ")}`;
}

function notInRange(value: unknown, feature: Feature, datatype: Datatype): string | undefined {
  if (typeof value !== "number") return "must be a number";
  if (!Number.isFinite(datatype === "FP64" ? value : Math.fround(value))) return "must be a number";
  if (feature.type === "integer" && !Number.isSafeInteger(value)) return "must be an integer";
  if (feature.minimum !== undefined && value < feature.minimum)
    return `must be at least ${feature.minimum}${unitOf(feature)}`;
  if (feature.maximum !== undefined && value > feature.maximum)
    return `must be at most ${feature.maximum}${unitOf(feature)}`;
  return undefined;
}

function unitOf({ unit }: Feature): string {
  return unit ? ` ${unit}` : "";
}
