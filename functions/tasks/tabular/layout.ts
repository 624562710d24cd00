import type { Feature, Manifest, TensorInfo } from "../../model/manifest.ts";
import type { Datatype } from "../../tensor.ts";

/** A graph input and its features, by their place in the manifest. */
export interface Slot {
  input: TensorInfo;
  columns: readonly number[];
}

const DATATYPES_OF: Record<Feature["type"], readonly Datatype[]> = {
  number: ["FP32", "FP64", "FP16"],
  integer: [
    ...(["FP32", "FP64", "FP16", "INT64", "INT32", "INT16", "INT8"] as const),
    ...(["UINT64", "UINT32", "UINT16", "UINT8"] as const),
  ],
  boolean: ["BOOL"],
  string: ["BYTES"],
};

/**
 * Decides which input takes which features: one input for all, one input for each feature by its name, or a few inputs
 * that take the features in order. Throws an Error when the graph fits none of these.
 */
export function layoutOf({
  task,
  inputs,
  features,
}: Pick<Manifest, "task" | "inputs" | "features">): Slot[] {
  if (!features) throw new Error(`task ${task} needs features`);
  const slots = byName(inputs, features) ?? inOrder(inputs, features);
  for (const { input, columns } of slots ?? [])
    for (const feature of columns.map((column) => features[column] as Feature)) {
      if (!DATATYPES_OF[feature.type].includes(input.datatype))
        throw new Error(
          `feature ${feature.name} is a ${feature.type}, which the input ${input.name} (${input.datatype}) does not take: ` +
            "FP32 and FP64 are for a number or an integer, INT64 and INT32 for an integer, BOOL for a boolean, BYTES for a string",
        );
      checkMissing(feature, input);
    }
  if (slots) return slots;
  const width = features.length;
  const has = inputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
  throw new Error(
    `task ${task} needs one input of shape [-1, ${width}] for its ${width} features, ` +
      `an input of shape [-1, 1] for each feature, by its name, or inputs whose widths add up to ${width}; it has ${has}`,
  );
}

function byName(inputs: readonly TensorInfo[], features: readonly Feature[]): Slot[] | undefined {
  if (inputs.length !== features.length) return undefined;
  const slots = features.map(({ name }, column) => {
    const input = inputs.find((one) => one.name === name);
    return input && widthOf(input) === 1 ? { input, columns: [column] } : undefined;
  });
  return slots.every((slot) => slot !== undefined) ? slots : undefined;
}

/**
 * Gives the inputs the features in order. Refuses it when all inputs have width 1: those need the features' names,
 * since the order of inputs in a graph means little.
 */
function inOrder(inputs: readonly TensorInfo[], features: readonly Feature[]): Slot[] | undefined {
  if (inputs.length > 1 && inputs.every((input) => widthOf(input) === 1)) return undefined;
  let next = 0;
  const slots = inputs.map((input) => {
    const columns = Array.from({ length: Math.max(widthOf(input), 0) }, (_, index) => next + index);
    next += columns.length;
    return { input, columns };
  });
  return next === features.length ? slots : undefined;
}

/** How many features a row of the input has. */
function widthOf({ shape }: TensorInfo): number {
  if (shape.length === 1) return 1;
  return shape.length === 2 ? (shape[1] ?? 0) : 0;
}

function checkMissing({ name, type, missing }: Feature, { datatype }: TensorInfo): void {
  if (missing === undefined) return;
  const takesNaN = datatype.startsWith("FP") && missing === "NaN";
  const fits =
    type === "number"
      ? takesNaN || typeof missing === "number"
      : type === "integer"
        ? takesNaN || Number.isSafeInteger(missing)
        : typeof missing === type;
  if (fits) return;
  const wanted = datatype.startsWith("FP") ? `"NaN" or ${article(type)}` : article(type);
  throw new Error(
    `the field missing of feature ${name} must be ${wanted} for an input that is ${datatype}, not ${JSON.stringify(missing)}`,
  );
}

function article(type: Feature["type"]): string {
  return type === "integer" ? "an integer" : `a ${type}`;
}
