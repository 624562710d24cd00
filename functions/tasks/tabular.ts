import { invalidInput, type InputIssue } from "../errors.ts";
import type { Feature, Manifest } from "../model/manifest.ts";
import type { CompiledTask } from "./types.ts";

/**
 * The half that every tabular task shares. One input is an object of named features or an array of
 * them in manifest order; the tensor is FP32 `[rows, features]`.
 */
export function tabularInputs(manifest: Manifest): Pick<CompiledTask, "isBatch" | "preprocess"> {
  const { features, inputs } = manifest;
  const input = inputs[0];
  if (!features) throw new Error(`task ${manifest.task} needs features`);
  if (
    !input ||
    inputs.length > 1 ||
    input.datatype !== "FP32" ||
    input.shape[1] !== features.length
  )
    throw new Error(`task ${manifest.task} needs one FP32 input of shape [-1, ${features.length}]`);
  const names = new Set(features.map(({ name }) => name));

  return {
    isBatch: (value) =>
      Array.isArray(value) && (value.length === 0 || typeof value[0] === "object"),
    preprocess(rows, pathOf) {
      const width = features.length;
      const data = new Float32Array(rows.length * width);
      const issues: InputIssue[] = [];
      for (let row = 0; row < rows.length; row++) {
        const values = rows[row];
        const path = pathOf(row);
        const byPosition = Array.isArray(values);
        if (typeof values !== "object" || values === null) {
          issues.push({
            path,
            message: "must be an object of features or an array of their values",
          });
          continue;
        }
        if (byPosition && values.length !== width) {
          issues.push({ path, message: `must have ${width} values, has ${values.length}` });
          continue;
        }
        if (!byPosition)
          for (const key of Object.keys(values))
            if (!names.has(key))
              issues.push({ path: `${path}.${key}`, message: "is not a feature of this model" });
        for (let column = 0; column < width; column++) {
          const feature = features[column] as Feature;
          const value: unknown = byPosition
            ? values[column]
            : Object.hasOwn(values, feature.name)
              ? (values as Record<string, unknown>)[feature.name]
              : undefined;
          const problem = problemWith(value, feature);
          if (problem === undefined) data[row * width + column] = value as number;
          else
            issues.push({
              path: byPosition ? `${path}[${column}]` : `${path}.${feature.name}`,
              message: problem,
            });
        }
      }
      if (issues.length > 0) throw invalidInput(issues);
      return { [input.name]: { datatype: "FP32", shape: [rows.length, width], data } };
    },
  };
}

function problemWith(value: unknown, feature: Feature): string | undefined {
  if (value === undefined) return "is missing";
  if (typeof value !== "number" || !Number.isFinite(Math.fround(value))) return "must be a number";
  if (feature.type === "integer" && !Number.isInteger(value)) return "must be an integer";
  const unit = feature.unit ? ` ${feature.unit}` : "";
  if (feature.minimum !== undefined && value < feature.minimum)
    return `must be at least ${feature.minimum}${unit}`;
  if (feature.maximum !== undefined && value > feature.maximum)
    return `must be at most ${feature.maximum}${unit}`;
  return undefined;
}
