import { invalidInput, NearcastError } from "../errors.ts";
import type { TensorInfo } from "../model/manifest.ts";
import {
  elementCount,
  viewOfRows,
  type Datatype,
  type Tensor,
  type TensorData,
} from "../tensor.ts";
import { ElementError, fromJsonData, toJsonData } from "./json-tensor.ts";

/** Replaces `null` in an input, such as with the task's value for a missing feature. */
export type Fill = (input: string, values: readonly unknown[], path: string) => readonly unknown[];

/** The most empty arrays in an answer without elements. */
export const MOST_EMPTY = 100_000;

/**
 * Reads a tensor from nested arrays. The nesting gives the shape. An empty dimension hides those below it; the manifest
 * gives them. Throws `invalid_input` with the path of the part with another shape or datatype.
 */
export function fromNested(
  input: TensorInfo,
  value: unknown,
  path: string,
  fill: Fill = (_, values) => values,
): Tensor {
  const { datatype, shape: wanted } = input;
  const shape = nestingOf(value, wanted.length + 1);
  if (shape.at(-1) === 0)
    for (const size of wanted.slice(shape.length)) shape.push(Math.max(size, 0));
  const fits =
    shape.length === wanted.length &&
    shape.every((size, axis) => wanted[axis] === -1 || wanted[axis] === size);
  if (!fits)
    throw invalidInput([
      { path, message: `must have shape [${wanted.join(", ")}], has [${shape.join(", ")}]` },
    ]);
  let level: readonly unknown[] = [value];
  for (const [axis, size] of shape.entries()) {
    const odd = findOdd(level, size);
    if (odd >= 0)
      throw invalidInput([
        {
          path: path + indexPath(odd, shape.slice(0, axis)),
          message: `must be an array of ${size}, as the first one is`,
        },
      ]);
    level = joined(level, size);
  }
  return {
    datatype,
    shape,
    data: elementsAt(
      datatype,
      fill(input.name, level, path),
      (index) => path + indexPath(index, shape),
    ),
  };
}

/**
 * Reads elements from JSON values. Throws `invalid_input` with the path of an element that does not fit the datatype.
 */
export function elementsAt(
  datatype: Datatype,
  values: readonly unknown[],
  pathOf: (index: number) => string,
): TensorData {
  try {
    return fromJsonData(datatype, values);
  } catch (error) {
    if (!(error instanceof ElementError)) throw error;
    throw invalidInput([{ path: pathOf(error.index), message: error.reason }]);
  }
}

/**
 * The elements of a tensor of known shape, from arrays that are flat or nested to any depth. Throws a RangeError for
 * nesting that contradicts the shape: the elements would be in a wrong order.
 */
export function flatElements(data: unknown, shape: readonly number[]): readonly unknown[] {
  const nesting = nestingOf(data, Infinity);
  let level: readonly unknown[] = [data];
  for (const size of nesting) {
    if (findOdd(level, size) >= 0) throw new RangeError("is ragged: its arrays differ in length");
    level = joined(level, size);
  }
  const ends = new Set([1, ...runningProducts(shape)]);
  if (nesting.length > 1 && !runningProducts(nesting).every((end) => ends.has(end)))
    throw new RangeError(
      `is nested as [${nesting.join(", ")}], its shape is [${shape.join(", ")}]`,
    );
  return level;
}

/**
 * A tensor's elements nested by its shape; a scalar is one element. `write` turns elements into JSON values. Throws
 * `invalid_input` for a shape of too many empty arrays.
 */
export function toNested(tensor: Tensor, write = toJsonData): unknown {
  const { shape } = tensor;
  if (elementCount(shape) === 0) return emptyArrays(shape);
  let level: unknown[] = write(tensor);
  for (const size of shape.slice(1).toReversed()) level = chunked(level, size);
  return shape.length === 0 ? level[0] : level;
}

/** About this many elements are nested at a time, in some milliseconds. */
const ELEMENTS_PER_PART = 16_384;

/** Whether {@link nestedInParts} has more than one part for a tensor of this shape. */
export function hasManyParts({ shape }: Pick<Tensor, "shape">): boolean {
  return elementCount(shape) > ELEMENTS_PER_PART;
}

/** Does the work of {@link toNested} in parts. */
export function* nestedInParts(
  tensor: Tensor,
  write = toJsonData,
): Generator<undefined, unknown, undefined> {
  const { shape } = tensor;
  const [length = 0, ...inner] = shape;
  if (!hasManyParts(tensor)) return toNested(tensor, write);
  const width = elementCount(inner);
  const step = Math.max(1, Math.floor(ELEMENTS_PER_PART / width));
  const rows: unknown[] = [];
  for (let from = 0; from < length; from += step) {
    const some = viewOfRows(tensor, from, Math.min(step, length - from));
    if (width > ELEMENTS_PER_PART)
      rows.push(yield* nestedInParts({ ...some, shape: inner }, write));
    else {
      for (const row of toNested(some, write) as unknown[]) rows.push(row);
      yield;
    }
  }
  return rows;
}

/** `[1][0]` for element 2 of the shape [2, 2]. */
function indexPath(index: number, shape: readonly number[]): string {
  let path = "";
  let rest = index;
  for (const size of shape.toReversed()) {
    path = `[${rest % size}]${path}`;
    rest = Math.floor(rest / size);
  }
  return path;
}

/** The sizes of the first array, of the first array in it, and so on. */
function nestingOf(value: unknown, deepest: number): number[] {
  const sizes: number[] = [];
  for (let level = value; Array.isArray(level) && sizes.length < deepest; level = level[0])
    sizes.push(level.length);
  return sizes;
}

/** The index of the first item that is not an array of this size. -1 if all are. */
function findOdd(level: readonly unknown[], size: number): number {
  return level.findIndex((inner) => !Array.isArray(inner) || inner.length !== size);
}

/** All items of arrays of one size. This takes a quarter of the time of `flat`. */
function joined(level: readonly unknown[], size: number): readonly unknown[] {
  if (level.length === 1) return level[0] as unknown[];
  const items: unknown[] = [];
  for (const inner of level as unknown[][])
    for (let index = 0; index < size; index++) items.push(inner[index]);
  return items;
}

/** The number of elements after which each dimension of the shape ends, outermost first. */
function runningProducts(shape: readonly number[]): number[] {
  let product = 1;
  return shape.map((size) => (product *= size));
}

function chunked(values: readonly unknown[], size: number): unknown[] {
  return Array.from({ length: values.length / size }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

function emptyArrays(shape: readonly number[]): unknown {
  const outer = shape.slice(0, shape.indexOf(0));
  const count = elementCount(outer);
  if (count > MOST_EMPTY)
    throw new NearcastError(
      "invalid_input",
      `The answer has the shape [${shape.join(", ")}], which is ${count} empty arrays. The Open Inference Protocol (/v2) answers with the shape alone.`,
    );
  const build = (axis: number): unknown[] =>
    axis === outer.length ? [] : Array.from({ length: outer[axis] ?? 0 }, () => build(axis + 1));
  return build(0);
}
