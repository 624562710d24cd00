import { elementCount, halfFloats, type Tensor } from "../../tensor.ts";

/** A tensor as nested arrays of JSON values; a scalar as the value alone. */
export function nested({ datatype, shape, data: given }: Tensor): unknown {
  const data = datatype === "FP16" ? halfFloats(given as Uint16Array) : given;
  const toJson = datatype === "BOOL" ? Boolean : exact;
  let start = 0;
  const build = (depth: number): unknown => {
    if (depth === shape.length) return toJson(data[start++]);
    // A dimension of none further in has no elements to read, and must not be counted up to.
    if (elementCount(shape.slice(depth)) === 0) return [];
    return Array.from({ length: shape[depth] ?? 0 }, () => build(depth + 1));
  };
  return build(0);
}

/** A 64-bit integer as a number while that is exact, else as a decimal string. */
function exact(value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
