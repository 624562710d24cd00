import type { TensorInfo } from "../../functions/platform/onnx/graph.ts";

/** The one output that was found. Throws an Error that says `what` is needed and which outputs there are. */
export function only(
  found: readonly TensorInfo[],
  what: string,
  outputs: readonly TensorInfo[],
): TensorInfo {
  const [output] = found;
  if (output && found.length === 1) return output;
  const has = outputs.map(
    ({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(", ")}]`,
  );
  throw new Error(`The model needs ${what}; it has ${has.join(", ")}.`);
}
