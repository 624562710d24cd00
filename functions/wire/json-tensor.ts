import { DATATYPES, halfFloats, type Datatype, type Tensor, type TensorData } from "../tensor.ts";
import { rawNumber } from "./json.ts";

/** Deeper nesting than any model's rank; flattening recurses. */
const DEEPEST = 32;

const INTEGERS = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
} as const;

const LONG_INTEGERS = {
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
} as const;

/** How numbers that JSON has not are written, both ways: as strings, like protobuf's JSON mapping. */
const NOT_FINITE: Record<string, number> = { NaN, Infinity, "-Infinity": -Infinity };

/**
 * Elements from JSON, flat or nested in row-major order. Throws a RangeError that says which element is
 * not of the datatype.
 */
export function fromJsonData(datatype: Datatype, data: unknown): TensorData {
  const flat: unknown[] = Array.isArray(data) ? data.flat(DEEPEST) : [data];
  switch (datatype) {
    case "BYTES":
      return flat.map((value, index) => checkedText(value, index));
    case "BOOL":
      return convert(new Uint8Array(flat.length), flat, toBit, "true or false");
    case "INT64":
    case "UINT64": {
      const range = LONG_INTEGERS[datatype];
      const elements = new DATATYPES[datatype].array(flat.length);
      return convert(elements, flat, (value) => toBigInt(value, range), `${datatype} integer`);
    }
    case "FP32":
    case "FP64":
      return convert(new DATATYPES[datatype].array(flat.length), flat, toNumber, "a number");
    case "FP16": {
      const bits = new Uint16Array(flat.length);
      convert(halfFloats(bits), flat, toNumber, "a number");
      return bits;
    }
    case "INT8":
    case "INT16":
    case "INT32":
    case "UINT8":
    case "UINT16":
    case "UINT32": {
      const range = INTEGERS[datatype];
      const elements = new DATATYPES[datatype].array(flat.length);
      return convert(elements, flat, (value) => toInteger(value, range), `${datatype} integer`);
    }
  }
}

/**
 * Elements as `JSON.stringify` writes them, flat: bools as true and false, 64-bit integers with every
 * digit, negative zero with its sign, NaN and the infinities as strings.
 */
export function toJsonData({ datatype, data }: Pick<Tensor, "datatype" | "data">): unknown[] {
  switch (datatype) {
    case "BYTES":
      return data as string[];
    case "BOOL":
      return Array.from(data as Uint8Array, (value) => value !== 0);
    case "INT64":
    case "UINT64":
      return Array.from(data as BigInt64Array, (value) => {
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : rawNumber(String(value));
      });
    case "FP16":
      return floatsToJson(halfFloats(data as Uint16Array));
    case "FP32":
    case "FP64":
      return floatsToJson(data as Float32Array);
    case "INT8":
    case "INT16":
    case "INT32":
    case "UINT8":
    case "UINT16":
    case "UINT32":
      return Array.from(data as Int32Array);
  }
}

function floatsToJson(values: ArrayLike<number>): unknown[] {
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return String(value);
    return Object.is(value, -0) ? rawNumber("-0.0") : value;
  });
}

function convert<T extends { [index: number]: number | bigint }>(
  elements: T,
  values: readonly unknown[],
  toElement: (value: unknown) => T[number] | undefined,
  wanted: string,
): T {
  for (let index = 0; index < values.length; index++) {
    const element = toElement(values[index]);
    if (element === undefined) throw new RangeError(`element ${index} must be ${wanted}`);
    elements[index] = element;
  }
  return elements;
}

/** Text that ONNX Runtime's JavaScript strings can hold: Unicode without NUL, at which they end. */
function checkedText(value: unknown, index: number): string {
  if (typeof value !== "string") throw new RangeError(`element ${index} must be a string`);
  if (value.includes("\0"))
    throw new RangeError(`element ${index} must not contain a NUL character`);
  if (!value.isWellFormed()) throw new RangeError(`element ${index} must be well-formed Unicode`);
  return value;
}

function toBit(value: unknown): number | undefined {
  return value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  // An integer of more than 53 bits, in a request that also has a 64-bit input.
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" ? NOT_FINITE[value] : undefined;
}

function toInteger(value: unknown, [lowest, highest]: readonly [number, number]) {
  const fits = typeof value === "number" && value >= lowest && value <= highest;
  return fits && Number.isInteger(value) ? value : undefined;
}

function toBigInt(value: unknown, [lowest, highest]: readonly [bigint, bigint]) {
  const integer =
    typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))
      ? BigInt(value)
      : undefined;
  return integer !== undefined && integer >= lowest && integer <= highest ? integer : undefined;
}
