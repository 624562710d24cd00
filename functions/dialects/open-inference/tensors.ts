import { invalidInput } from "../../errors.ts";
import { isBatched, type Manifest } from "../../model/manifest.ts";
import {
  elementCount,
  type Datatype,
  type Tensor,
  type TensorData,
  type Tensors,
} from "../../tensor.ts";
import { fromBinary } from "../../wire/binary-tensor.ts";
import { textsOf } from "./content-type.ts";
import type { RequestBody } from "./schema.ts";

type RequestInput = RequestBody["inputs"][number];

interface TensorLimits {
  manifest: Manifest;
  /** Most rows. */
  batch?: number | undefined;
}

/**
 * The tensors of a request's inputs, in their order. `sourceOf` finds the elements of one, and what it returns reads them
 * once the shape is checked. Throws `invalid_input`, also for a RangeError of that.
 */
export function tensorsOf(
  inputs: readonly RequestInput[],
  { manifest, batch }: TensorLimits,
  sourceOf: (input: RequestInput, path: string, index: number) => (count: number) => TensorData,
): Tensors {
  const tensors: Tensors = {};
  for (const [index, input] of inputs.entries()) {
    const path = `inputs.${input.name}`;
    if (Object.hasOwn(tensors, input.name))
      throw invalidInput([{ path, message: "is given twice" }]);
    const read = sourceOf(input, path, index);
    const shape = shapeOf(input, manifest);
    checkShape(path, input.name, shape, { manifest, batch });
    const data = elements(path, () => {
      const given = read(elementCount(shape));
      if (input.datatype !== "BYTES") return given;
      return textsOf(given as string[], input.parameters?.content_type);
    });
    define(tensors, input.name, { datatype: input.datatype, shape, data });
  }
  return tensors;
}

/**
 * Reads the binary tensors of one body from front to back. Those that are not aligned are moved over bytes that were read
 * before, from `begin` on, an offset in the body's memory. Without it they are copied, and the body stays as it is.
 */
export function createBinaryReader(begin: number | undefined) {
  let used = begin ?? Infinity;
  return (datatype: Datatype, bytes: Uint8Array, most: number): TensorData => {
    const data = fromBinary(datatype, bytes, { spare: bytes.byteOffset - used, most });
    if (begin !== undefined && ArrayBuffer.isView(data) && data.buffer === bytes.buffer)
      used = data.byteOffset + data.byteLength;
    return data;
  };
}

/** Checks the shape before any element is read: the model refuses a wrong shape, whatever the elements are. */
function checkShape(
  path: string,
  name: string,
  shape: readonly number[],
  { manifest, batch = Infinity }: TensorLimits,
): void {
  const info = manifest.inputs.find((input) => input.name === name);
  const [rows = 0] = shape;
  if (info && isBatched(manifest, info) && rows > batch)
    throw invalidInput([
      {
        path,
        message: `must have at most ${batch} rows, has ${rows}. If its first dimension is not a batch, set "batchDimension": null in the manifest`,
      },
    ]);
}

/** The shape of an input. MLServer's codecs turn every list into `[n, 1]`; a model that takes a list gets `[n]`. */
function shapeOf({ name, shape }: RequestInput, { inputs }: Manifest): readonly number[] {
  const isList = inputs.find((input) => input.name === name)?.shape.length === 1;
  return isList && shape.length === 2 && shape[1] === 1 ? shape.slice(0, 1) : shape;
}

/** Makes a RangeError an `invalid_input` at the path. */
export function elements<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path, message: error.message }]);
  }
}

/** Sets an own property even if its name is `__proto__`: a client may call a tensor so. */
export function define(tensors: Tensors, name: string, tensor: Tensor): void {
  Object.defineProperty(tensors, name, { value: tensor, enumerable: true });
}
