import type { Tensor } from "../tensor.ts";
import { toBinary } from "../wire/binary-tensor.ts";
import { concatenate } from "../concatenate.ts";

export const LENGTH_BYTES = 4;

/**
 * Writes tensors as one piece of bytes, behind `reserved` empty ones: the length of a description in JSON, the
 * description, and the elements of each tensor. The description is an array: `about`, and for each tensor its
 * name, datatype, shape and length in bytes. Different lists of tensors always give different bytes.
 */
export function tensorBytes(
  tensors: readonly (readonly [name: string, Tensor])[],
  { about, reserved }: { about: unknown; reserved: number },
): Uint8Array {
  const elements = tensors.map(([, tensor]) => toBinary(tensor));
  const described = tensors.map(([name, { datatype, shape }], index) => [
    name,
    datatype,
    shape,
    elements[index]?.byteLength,
  ]);
  const description = new TextEncoder().encode(JSON.stringify([about, described]));
  const start = new Uint8Array(reserved + LENGTH_BYTES);
  new DataView(start.buffer).setUint32(reserved, description.byteLength);
  return concatenate([start, description, ...elements]);
}
