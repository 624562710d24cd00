import type { Feature } from "../../functions/model/manifest.ts";
import { layoutOf, type Slot } from "../../functions/tasks/tabular/layout.ts";
import { columnKey, missingColumns } from "../onnx/missing.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";

/**
 * What the user says about missing values: names of features, or `name=value` with the value that the graph takes for
 * one.
 */
export type MissingFlag = readonly string[];

/**
 * The features, each with the value that the graph gets if it is missing: as the user says, or as the graph's operators
 * show. Throws an Error for a flag that names no feature, or says too little.
 */
export function withMissing(
  { view }: Pick<Graph, "view">,
  inputs: readonly TensorInfo[],
  features: readonly Feature[],
  flag: MissingFlag = [],
): Feature[] {
  const slots = slotsOf(inputs, features);
  const shown = view ? missingColumns(view, widthsOf(slots)) : new Map<string, undefined>();
  const said = new Map(flag.map((entry) => readEntry(entry, features, slots)));
  return features.map((feature, index) => {
    const own = said.get(feature.name);
    if (own !== undefined) return { ...feature, missing: own };
    const slot = slotOf(slots, index);
    const takes = slot && shown.get(columnKey(slot.input.name, slot.columns.indexOf(index)));
    return takes ? { ...feature, missing: takes } : feature;
  });
}

/** Tells the user which features may be missing. */
export function notesOfMissing(features: readonly Feature[]): string[] {
  const named = features.filter(({ missing }) => missing !== undefined);
  if (named.length === 0) return [];
  const shown = named.map(({ name, missing }) => `${name} (${JSON.stringify(missing)})`);
  return [
    `Missing values are taken for ${shown.join(", ")}, with what the graph gets for one; --missing, or "missing" in model.json, changes that.`,
  ];
}

/** Empty for a graph that does not fit the features: the task says so when it is made ready. */
function slotsOf(inputs: readonly TensorInfo[], features: readonly Feature[]): Slot[] {
  try {
    return layoutOf({ task: "", inputs: [...inputs], features: [...features] });
  } catch {
    return [];
  }
}

function slotOf(slots: readonly Slot[], feature: number): Slot | undefined {
  return slots.find(({ columns }) => columns.includes(feature));
}

/** The inputs that can have a missing value. Integers and booleans cannot. */
function widthsOf(slots: readonly Slot[]): Map<string, number> {
  const able = slots.filter(({ input }) => /^(FP|BYTES)/.test(input.datatype));
  return new Map(able.map(({ input, columns }) => [input.name, columns.length]));
}

function readEntry(
  entry: string,
  features: readonly Feature[],
  slots: readonly Slot[],
): [name: string, value: NonNullable<Feature["missing"]>] {
  const [name = "", ...rest] = entry.split("=");
  const index = features.findIndex((feature) => feature.name === name);
  const feature = features[index];
  if (!feature)
    throw new Error(
      `--missing names ${name}, which is no feature; there are ${features.map((one) => one.name).join(", ")}.`,
    );
  const datatype = slotOf(slots, index)?.input.datatype;
  if (rest.length > 0) return [name, valueOf(rest.join("="), feature)];
  if (datatype?.startsWith("FP")) return [name, "NaN"];
  throw new Error(
    `--missing ${name}: say what the graph was trained to take for a missing ${name}, ${feature.type === "integer" ? "an" : "a"} ${feature.type}: --missing ${name}=…`,
  );
}

function valueOf(text: string, { name, type }: Feature): NonNullable<Feature["missing"]> {
  if (type === "string" || text === "NaN") return text;
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (type !== "boolean" && text.trim() !== "" && Number.isFinite(Number(text)))
    return Number(text);
  throw new Error(`--missing ${name}=${text}: ${text} is no ${type}.`);
}
