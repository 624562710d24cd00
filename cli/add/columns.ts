import type { Feature } from "../../functions/model/manifest.ts";
import { categoriesOf } from "../onnx/categories.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";

/**
 * The features, with the types of the inputs that take them: one input for each feature by name, or inputs in order. If
 * the graph knows only certain texts, they become categories.
 */
export function featuresOf(
  names: readonly string[],
  inputs: readonly TensorInfo[],
  { view }: Graph,
): Feature[] {
  const inOrder = inputs.flatMap((input) =>
    Array.from({ length: Math.abs(input.shape[1] ?? 1) }, () => input),
  );
  return names.map((name, column) => {
    const input = inputs.find((one) => one.name === name) ?? inOrder[column];
    const categories = view && input && input.shape[1] === 1 && categoriesOf(view, input.name);
    return { name, type: typeFor(input), ...(categories && { categories }) };
  });
}

function typeFor(input: TensorInfo | undefined): Feature["type"] {
  const datatype = input?.datatype ?? "FP32";
  if (datatype === "BYTES") return "string";
  if (datatype === "BOOL") return "boolean";
  return datatype.startsWith("FP") ? "number" : "integer";
}
