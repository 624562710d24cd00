import { elementCount, viewOfRows, type Tensor } from "../tensor.ts";
import { toJsonData } from "./json-tensor.ts";
import { withSignedZeros } from "./json.ts";
import { toNested } from "./nested.ts";
import { writeJson } from "./raw-number.ts";

/** About this many numbers are written at a time, in some milliseconds. */
const NUMBERS_PER_PIECE = 8192;

/** A tensor in an answer, which becomes JSON when it is written: flat, or nested by its shape. */
export class TensorJson {
  readonly tensor: Tensor;
  readonly form: "flat" | "nested";

  constructor(tensor: Tensor, form: "flat" | "nested") {
    this.tensor = tensor;
    this.form = form;
  }

  /** For `JSON.stringify`. */
  toJSON(): unknown {
    return this.form === "flat" ? toJsonData(this.tensor) : toNested(this.tensor);
  }
}

/** The JSON of a value in pieces that are each written in milliseconds. Negative zeros keep their sign. */
export function* jsonPieces(value: unknown): Generator<string, void, undefined> {
  if (value instanceof TensorJson) yield* tensorPieces(value);
  else if (Array.isArray(value)) yield* arrayPieces(value);
  else if (isPlain(value) && Object.values(value).some(isObject)) {
    let before = "{";
    for (const [name, item] of Object.entries(value)) {
      if (item === undefined) continue;
      yield `${before}${JSON.stringify(name)}:`;
      yield* jsonPieces(item);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  } else {
    const signed = isPlain(value) || typeof value === "number" ? withSignedZeros(value) : value;
    yield writeJson(signed) ?? "null";
  }
}

function* arrayPieces(values: readonly unknown[]): Generator<string, void, undefined> {
  if (values.some(isObject)) {
    let before = "[";
    for (const value of values) {
      yield before;
      yield* jsonPieces(value);
      before = ",";
    }
    yield "]";
    return;
  }
  if (values.length === 0) return yield "[]";
  for (let from = 0; from < values.length; from += NUMBERS_PER_PIECE) {
    const some = withSignedZeros(values.slice(from, from + NUMBERS_PER_PIECE));
    yield `${from === 0 ? "[" : ","}${writeJson(some).slice(1, -1)}`;
  }
  yield "]";
}

function* tensorPieces({ tensor, form }: TensorJson): Generator<string, void, undefined> {
  const { datatype, shape, data } = tensor;
  const count = elementCount(shape);
  const flat: Tensor = { datatype, shape: [count], data };
  const rows = form === "flat" || count === 0 ? flat : tensor;
  const [length = 0] = rows.shape;
  if (count === 0 || rows.shape.length === 0) {
    const whole = form === "flat" ? toJsonData(tensor) : toNested(tensor);
    return yield writeJson(whole);
  }
  const width = count / length;
  if (width > NUMBERS_PER_PIECE) {
    for (let row = 0; row < length; row++) {
      yield row === 0 ? "[" : ",";
      const { shape: one, ...rest } = viewOfRows(rows, row, 1);
      yield* tensorPieces(new TensorJson({ ...rest, shape: one.slice(1) }, "nested"));
    }
    return yield "]";
  }
  const step = Math.max(1, Math.floor(NUMBERS_PER_PIECE / width));
  for (let from = 0; from < length; from += step) {
    const some = viewOfRows(rows, from, Math.min(step, length - from));
    yield `${from === 0 ? "[" : ","}${writeJson(toNested(some)).slice(1, -1)}`;
  }
  yield "]";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether a value is an ordinary object. Values of `JSON.rawJSON` are not. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}
