import { fromHalfFloats, toHalfFloats } from "../half-floats.ts";
import { DATATYPES, type Datatype, type Tensor, type TensorData } from "../tensor.ts";
import { base64Bytes } from "./base64.ts";
import { textOf } from "./binary-tensor.ts";
import { rawNumber } from "./raw-number.ts";

/**
 * The only code that reads elements of tensors from JSON and writes them, for all dialects and tasks:
 *
 * - floats: a number that the datatype can hold. One that would become infinite is refused. A value without a number
 *   in JSON is a string, as in protobuf's JSON mapping: "NaN", "Infinity", "-Infinity". -0 keeps its sign;
 * - integers: a number that is exact, a bigint, or a decimal string;
 * - BOOL: true, false, 1 or 0;
 * - BYTES: a string of well-formed Unicode without NUL, or `{"b64": …}` with its UTF-8.
 */

/** One element that is not of the datatype. */
export class ElementError extends RangeError {
  readonly index: number;
  /** Says in words what the element must be. */
  readonly reason: string;

  constructor(index: number, reason: string) {
    super(`element ${index} ${reason}`);
    this.index = index;
    this.reason = reason;
  }
}

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

const NOT_FINITE: ReadonlyMap<unknown, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/** Elements from JSON values in row-major order. Throws an {@link ElementError}. */
export function fromJsonData(datatype: Datatype, values: readonly unknown[]): TensorData {
  switch (datatype) {
    case "BYTES":
      return values.map(readText);
    case "BOOL":
      return convert(new Uint8Array(values.length), values, toBit, "must be true or false");
    case "INT64":
    case "UINT64":
      return readLongIntegers(datatype, values);
    case "FP32":
    case "FP64":
      return readFloats(new DATATYPES[datatype].array(values.length), datatype, values);
    case "FP16":
      return readHalfFloats(values);
    case "INT8":
    case "INT16":
    case "INT32":
    case "UINT8":
    case "UINT16":
    case "UINT32":
      return readIntegers(datatype, values);
  }
}

/**
 * Elements as {@link writeJson} writes them, flat: bools as true and false, 64-bit integers with every digit,
 * negative zero with its sign, NaN and the infinities as strings.
 */
export function toJsonData(tensor: Pick<Tensor, "datatype" | "data">): unknown[] {
  return written(tensor, { longInteger: rawNumber, negativeZero: rawNumber("-0.0") });
}

/**
 * Like {@link toJsonData}, but as JavaScript's own values, for callers who do not write JSON. 64-bit integers that a
 * number cannot hold are decimal strings, and negative zero is `-0`.
 */
export function toJsonValues(tensor: Pick<Tensor, "datatype" | "data">): unknown[] {
  return written(tensor, { longInteger: (digits) => digits, negativeZero: -0 });
}

interface Style {
  longInteger: (digits: string) => unknown;
  negativeZero: unknown;
}

function written({ datatype, data }: Pick<Tensor, "datatype" | "data">, style: Style): unknown[] {
  switch (datatype) {
    case "BYTES":
      return data as string[];
    case "BOOL":
      return Array.from(data as Uint8Array, (value) => value !== 0);
    case "INT64":
    case "UINT64":
      return Array.from(data as BigInt64Array, (value) => {
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : style.longInteger(String(value));
      });
    case "FP16":
      return writtenFloats(fromHalfFloats(data as Uint16Array), style);
    case "FP32":
    case "FP64":
      return writtenFloats(data as Float32Array, style);
    case "INT8":
    case "INT16":
    case "INT32":
    case "UINT8":
    case "UINT16":
    case "UINT32":
      return Array.from(data as Int32Array);
  }
}

function writtenFloats(values: ArrayLike<number>, { negativeZero }: Style): unknown[] {
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return String(value);
    return Object.is(value, -0) ? negativeZero : value;
  });
}

function readFloats<T extends Float32Array | Float64Array>(
  elements: T,
  datatype: Datatype,
  values: readonly unknown[],
): T {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const number = typeof value === "number" ? value : numberOf(value);
    elements[index] = number;
    // A finite number that the datatype cannot hold, or one that JSON's parser made infinite, such as 1e999.
    const overflown = Math.abs(elements[index] as number) === Infinity && typeof value !== "string";
    if (overflown || (Number.isNaN(number) && !isNaNValue(value))) throw notHeld(index, datatype);
  }
  return elements;
}

function readHalfFloats(values: readonly unknown[]): Uint16Array {
  const numbers = readFloats(new Float64Array(values.length), "FP16", values);
  const bits = toHalfFloats(numbers);
  const overflown = fromHalfFloats(bits).findIndex(
    (half, index) => !Number.isFinite(half) && Number.isFinite(numbers[index]),
  );
  if (overflown >= 0) throw notHeld(overflown, "FP16");
  return bits;
}

function notHeld(index: number, datatype: Datatype): ElementError {
  return new ElementError(index, `must be a number that ${datatype} can hold`);
}

/**
 * The number, or NaN for any other value. It may be a bigint, since another input of the request may need long
 * integers.
 */
function numberOf(value: unknown): number {
  return typeof value === "bigint" ? Number(value) : (NOT_FINITE.get(value) ?? NaN);
}

function isNaNValue(value: unknown): boolean {
  return value === "NaN" || typeof value === "number";
}

function readIntegers(datatype: keyof typeof INTEGERS, values: readonly unknown[]): TensorData {
  const [lowest, highest] = INTEGERS[datatype];
  const elements = new DATATYPES[datatype].array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const integer = typeof value === "number" && Number.isInteger(value) ? value : toLong(value);
    if (integer === undefined) throw notInteger(index);
    if (integer < lowest || integer > highest) throw outOfRange(index, datatype, lowest, highest);
    elements[index] = Number(integer);
  }
  return elements;
}

/** Writes each number as two halves of 32 bits. A bigint for each would take four times as long. */
function readLongIntegers(
  datatype: keyof typeof LONG_INTEGERS,
  values: readonly unknown[],
): TensorData {
  const [lowest, highest] = LONG_INTEGERS[datatype];
  const elements = new DATATYPES[datatype].array(values.length);
  const halves = new Int32Array(elements.buffer);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= lowest) {
      halves[2 * index] = value;
      halves[2 * index + 1] = Math.floor(value / 2 ** 32);
      continue;
    }
    const integer = toLong(value);
    if (integer === undefined) throw notInteger(index);
    if (integer < lowest || integer > highest) throw outOfRange(index, datatype, lowest, highest);
    elements[index] = integer;
  }
  return elements;
}

function toLong(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function notInteger(index: number): ElementError {
  const reason = "must be an integer, as a decimal string where a number is not exact";
  return new ElementError(index, reason);
}

function outOfRange(
  index: number,
  datatype: Datatype,
  lowest: number | bigint,
  highest: number | bigint,
): ElementError {
  return new ElementError(index, `must be from ${lowest} to ${highest} (${datatype})`);
}

function convert<T extends { [index: number]: number }>(
  elements: T,
  values: readonly unknown[],
  toElement: (value: unknown) => number | undefined,
  reason: string,
): T {
  for (let index = 0; index < values.length; index++) {
    const element = toElement(values[index]);
    if (element === undefined) throw new ElementError(index, reason);
    elements[index] = element;
  }
  return elements;
}

function toBit(value: unknown): number | undefined {
  return value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined;
}

/** Text that ONNX Runtime's JavaScript strings can hold: they end at the first NUL. */
function readText(value: unknown, index: number): string {
  let text = value;
  try {
    const bytes = base64Bytes(value);
    if (bytes) text = textOf(bytes);
  } catch (error) {
    throw error instanceof RangeError ? new ElementError(index, error.message) : error;
  }
  if (typeof text !== "string") throw new ElementError(index, "must be a string");
  if (text.includes("\0")) throw new ElementError(index, "must not contain a NUL character");
  if (!text.isWellFormed()) throw new ElementError(index, "must be well-formed Unicode");
  return text;
}
