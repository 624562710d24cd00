import { invalidInput } from "../errors.ts";
import type { TensorInfo } from "../model/manifest.ts";
import type { Tensor } from "../tensor.ts";
import { textOf } from "./binary-tensor.ts";
import { fromJsonData, toJsonData } from "./json-tensor.ts";

/**
 * A tensor from nested arrays, whose nesting gives the shape. Bytes may be `{"b64": …}`. Throws
 * `invalid_input` for a path when the value is not as deep as the input's rank, ragged, or not of its datatype.
 */
export function fromNested(input: TensorInfo, value: unknown, path: string): Tensor {
  const { datatype } = input;
  const shape: number[] = [];
  const leaves: unknown[] = [];
  try {
    collect(value, input.shape.length, 0, shape, leaves);
    const elements = datatype === "BYTES" ? leaves.map(textOfLeaf) : leaves;
    // An empty dimension hides the ones below it.
    const known = input.shape.map((size, axis) => shape[axis] ?? Math.max(size, 0));
    return { datatype, shape: known, data: fromJsonData(datatype, elements) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path, message: error.message }]);
  }
}

/** A tensor's elements nested by its shape, as `JSON.stringify` writes them; a scalar is one element. */
export function toNested(tensor: Tensor): unknown {
  const flat = toJsonData(tensor);
  let level: unknown[] = flat;
  for (const size of tensor.shape.slice(1).toReversed())
    level = size === 0 ? emptyRows(tensor.shape) : chunked(level, size);
  return tensor.shape.length === 0 ? level[0] : level;
}

/** The bytes of `{"b64": "…"}`; undefined for any other value. Throws a RangeError for bad base64. */
export function base64Bytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== "object" || value === null || !("b64" in value)) return undefined;
  try {
    return Uint8Array.from(atob(String(value.b64)), (character) => character.charCodeAt(0));
  } catch {
    throw new RangeError("has a b64 that is not base64");
  }
}

function collect(value: unknown, rank: number, axis: number, shape: number[], leaves: unknown[]) {
  if (axis === rank) {
    leaves.push(value);
    return;
  }
  if (!Array.isArray(value)) throw new RangeError(`must be arrays nested ${rank} deep`);
  shape[axis] ??= value.length;
  if (shape[axis] !== value.length)
    throw new RangeError(
      `is ragged: dimension ${axis} has both ${shape[axis]} and ${value.length}`,
    );
  for (const item of value) collect(item, rank, axis + 1, shape, leaves);
}

function textOfLeaf(leaf: unknown): unknown {
  const bytes = base64Bytes(leaf);
  return bytes ? textOf(bytes) : leaf;
}

function chunked(values: readonly unknown[], size: number): unknown[] {
  return Array.from({ length: values.length / size }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

function emptyRows(shape: readonly number[]): unknown[] {
  return Array.from({ length: shape[0] ?? 0 }, () => []);
}
