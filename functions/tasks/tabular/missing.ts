import { InputIssues } from "../../errors.ts";
import type { Feature } from "../../model/manifest.ts";
import { toHalfFloats } from "../../half-floats.ts";
import { numbersOf, type Tensor } from "../../tensor.ts";
import type { MissingValues } from "../define.ts";
import type { Slot } from "./layout.ts";

/** Whether a feature has no value: null, absent or NaN. The text "NaN" is a string feature's value. */
export function isMissing(value: unknown, { type }: Feature): boolean {
  if (typeof value === "number") return Number.isNaN(value);
  return value === null || value === undefined || (value === "NaN" && type !== "string");
}

/** The graph's value for a missing feature. Undefined when the feature must not be missing. */
export function replacementOf({ type, missing }: Feature): unknown {
  return missing === "NaN" && type !== "string" ? NaN : missing;
}

/** Treats missing values in tensors that the task did not make. The same features may be missing there. */
export function missingInTensors(
  slots: readonly Slot[],
  features: readonly Feature[],
): MissingValues {
  const featureAt = ({ columns }: Slot, index: number) =>
    features[columns[index % columns.length] ?? 0] as Feature;

  return {
    fill(input, values, path) {
      const slot = slots.find((one) => one.input.name === input);
      if (!slot || !values.includes(null)) return values;
      const issues = new InputIssues();
      const filled = values.map((value, index) => {
        if (value !== null) return value;
        const feature = featureAt(slot, index);
        const replacement = replacementOf(feature);
        if (replacement === undefined)
          issues.push({ path, message: inRow(slot, index, feature, null) });
        return replacement;
      });
      issues.check();
      return filled;
    },
    check(feeds) {
      const issues = new InputIssues();
      for (const slot of slots) {
        const { name } = slot.input;
        const tensor = feeds[name];
        const numbers = tensor && floatsOf(tensor);
        if (!numbers) continue;
        let isCopy = false;
        for (let index = 0; index < numbers.length; index++) {
          if (!Number.isNaN(numbers[index])) continue;
          const feature = featureAt(slot, index);
          const replacement = replacementOf(feature);
          if (replacement !== undefined) {
            // The tensor may be a view of the request's body, which is sent on as it came.
            if (!isCopy) tensor.data = tensor.data.slice();
            isCopy = true;
            put(tensor, index, replacement as number);
          } else issues.push({ path: `inputs.${name}`, message: inRow(slot, index, feature, NaN) });
        }
      }
      issues.check();
    },
  };
}

/** Why a missing value is refused, and what in the manifest would allow it. */
export function notMissing({ name }: Feature, value: unknown): string {
  if (value === undefined) return "is missing";
  return `is missing (${value === null ? "null" : "NaN"}), and the manifest has no field missing for ${name}`;
}

function inRow({ columns }: Slot, index: number, feature: Feature, value: unknown): string {
  return `of row ${Math.floor(index / columns.length)}: ${feature.name} ${notMissing(feature, value)}`;
}

function floatsOf({ datatype, data }: Tensor): Float32Array | Float64Array | undefined {
  return ["FP16", "FP32", "FP64"].includes(datatype) ? numbersOf(data) : undefined;
}

function put({ datatype, data }: Tensor, index: number, number: number): void {
  const element = datatype === "FP16" ? toHalfFloats([number])[0] : number;
  (data as Float32Array)[index] = element as number;
}
