import type { Limits } from "../../model/limits.ts";
import { halfFloats, type Datatype, type TensorData } from "../../tensor.ts";
import { textProblem } from "../text/problem.ts";

/** Least and greatest value of each integer datatype. */
const INTEGERS: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  INT8: [-(2n ** 7n), 2n ** 7n - 1n],
  INT16: [-(2n ** 15n), 2n ** 15n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 2n ** 8n - 1n],
  UINT16: [0n, 2n ** 16n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};

/** Writes a JSON value at `index` of the data; what is wrong with it, in words, when it cannot be. */
export function readElement(
  value: unknown,
  datatype: Datatype,
  limits: Limits,
  data: TensorData,
  index: number,
): string | undefined {
  const store = (element: unknown): undefined => {
    // The caller allocated the array that the datatype goes with.
    (data as unknown[])[index] = element;
  };
  if (datatype === "BYTES")
    return textProblem(value, limits) ?? store((value as string).toWellFormed());
  if (datatype === "BOOL")
    return typeof value === "boolean" ? store(Number(value)) : "must be true or false";
  const range = INTEGERS[datatype];
  if (!range) {
    const number = typeof value === "number" ? value : NaN;
    const kept = datatype === "FP64" ? number : Math.fround(number);
    if (!Number.isFinite(kept)) return `must be a number that ${datatype} can hold`;
    if (datatype !== "FP16") return store(number);
    const halves = halfFloats(data as Uint16Array);
    halves[index] = number;
    return Number.isFinite(halves[index]) ? undefined : "must be a number that FP16 can hold";
  }
  const integer = toBigInt(value);
  if (integer === undefined)
    return "must be an integer, as a decimal string where a number is not exact";
  if (integer < range[0] || integer > range[1])
    return `must be from ${range[0]} to ${range[1]} (${datatype})`;
  return store(datatype.endsWith("64") ? integer : Number(integer));
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}
