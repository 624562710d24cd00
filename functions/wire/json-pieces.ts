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
  if (values.length === 0) return yield "[]";
  let before = "[";
  for (let from = 0; from < values.length;) {
    const end = endOfFlat(values, from);
    if (end > from) {
      const some = withSignedZeros(values.slice(from, end));
      yield `${before}${writeJson(some).slice(1, -1)}`;
      from = end;
    } else {
      yield before;
      yield* jsonPieces(values[from++]);
    }
    before = ",";
  }
  yield "]";
}

/** Where the items end that are written together: each has few values, and no values in those. */
function endOfFlat(values: readonly unknown[], from: number): number {
  let [end, count] = [from, 0];
  while (end < values.length && count < NUMBERS_PER_PIECE) {
    const own = flatCount(values[end]);
    if (own > NUMBERS_PER_PIECE) break;
    count += own;
    end += 1;
  }
  return end;
}

/** How many values a value has. Infinity when there are others in them. */
function flatCount(value: unknown): number {
  if (!isObject(value)) return 1;
  if (value instanceof TensorJson) return Infinity;
  if (Array.isArray(value)) return value.some(isObject) ? Infinity : value.length + 1;
  if (!isPlain(value)) return 1;
  let count = 1;
  for (const name in value) {
    if (isObject(value[name])) return Infinity;
    count += 1;
  }
  return count;
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
