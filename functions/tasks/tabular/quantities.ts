import type { Feature } from "../../model/manifest.ts";
import { numbersOf, type Tensor } from "../../tensor.ts";
import type { Quantity } from "../define.ts";
import type { Slot } from "./layout.ts";
import { replacementOf } from "./missing.ts";

/**
 * Each feature, as the graph gets it. The graph cannot tell a missing value from the value that replaces it, so both
 * count as missing.
 */
export function featureQuantities(
  slots: readonly Slot[],
  features: readonly Feature[],
): Quantity[] {
  return slots.flatMap(({ input, columns }) =>
    columns.map((column, position) => {
      const feature = features[column] as Feature;
      return featureQuantity(feature, { input: input.name, position, width: columns.length });
    }),
  );
}

function featureQuantity(
  feature: Feature,
  { input, position, width }: { input: string; position: number; width: number },
): Quantity {
  const { name, type, categories } = feature;
  const isNumber = type === "number" || type === "integer";
  const missing = replacementOf(feature);
  return {
    name,
    of: "input",
    kind: isNumber ? "number" : "category",
    categories: type === "boolean" ? ["false", "true"] : categories,
    each({ runs }, take) {
      for (const { feeds } of runs) {
        const tensor = feeds[input];
        if (!tensor) continue;
        const data = elementsOf(tensor);
        for (let at = position; at < data.length; at += width) {
          const value = data[at];
          const known = isNumber
            ? Number(value)
            : type === "boolean"
              ? value === 1
                ? "true"
                : "false"
              : String(value);
          take(missing !== undefined && isSame(known, missing) ? undefined : known);
        }
      }
    },
  };
}

function elementsOf({ datatype, data }: Tensor): ArrayLike<number | bigint | string> {
  return datatype === "FP16" ? (numbersOf(data) ?? data) : data;
}

function isSame(value: number | string, missing: unknown): boolean {
  return value === missing || value === String(missing) || value === Math.fround(Number(missing));
}
