import * as z from "zod";
import { invalidInput, type NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { DATATYPES, elementCount, numbersOf, type Datatype, type Tensor } from "../../tensor.ts";
import { fromBase64, toBase64 } from "../../wire/base64.ts";
import { fromBinary, toBinary } from "../../wire/binary-tensor.ts";

/** The length of the header, before it. */
const LENGTH_BYTES = 4;

const size = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1);
/** The model, its version, its artifact's digest, and the shapes of the tensors. */
const header = z.tuple([z.string(), z.string(), z.string(), z.array(z.array(size))]);

/** What a tensor of a state must be. -1 is a dimension of any size. */
export interface Carried {
  datatype: Exclude<Datatype, "BYTES">;
  shape: readonly number[];
}

/** Tensors as text that a caller sends with its next call. Only the version that made it takes it: see {@link readState}. */
export function writeState(manifest: Manifest, tensors: readonly Tensor[]): string {
  const about = [...ownerOf(manifest), tensors.map(({ shape }) => shape)];
  const head = new TextEncoder().encode(JSON.stringify(about));
  const parts = [head, ...tensors.map(toBinary)];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, LENGTH_BYTES));
  new DataView(bytes.buffer).setUint32(0, head.length);
  let offset = LENGTH_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return toBase64(bytes);
}

/**
 * Reads what {@link writeState} wrote for this version. A caller may have changed it: throws `invalid_input` for
 * anything that the version would not have written, and for numbers that are not finite.
 */
export function readState(manifest: Manifest, text: string, wanted: readonly Carried[]): Tensor[] {
  let about: z.output<typeof header>;
  let rest: Uint8Array;
  try {
    const bytes = fromBase64(text);
    const end = LENGTH_BYTES + new DataView(bytes.buffer).getUint32(0);
    about = header.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, end))));
    rest = bytes.subarray(end);
  } catch {
    throw wrongState("is no state of an answer: send its `state` back as it came");
  }
  const [model, version, digest, shapes] = about;
  const { name, version: own } = manifest;
  if (String([model, version, digest]) !== String(ownerOf(manifest))) {
    const isOwn = model === name && version === own;
    throw wrongState(
      `is of ${isOwn ? "another artifact of " : ""}${model} ${version}, and ${name} ${own} answers now: ask the same version for all of a stream, as in /v1/models/${name}/versions/${own}/predict, or begin it anew`,
    );
  }
  const fits =
    shapes.length === wanted.length &&
    wanted.every(({ shape }, index) => hasShape(shapes[index] as number[], shape));
  const lengths = wanted.map(
    ({ datatype }, index) => elementCount(shapes[index] ?? []) * DATATYPES[datatype].bytes,
  );
  if (!fits || lengths.reduce((sum, length) => sum + length, 0) !== rest.length)
    throw wrongState("has other tensors than this model's states");
  let offset = 0;
  return wanted.map(({ datatype }, index) => {
    const end = offset + (lengths[index] as number);
    const data = elementsOf(datatype, rest.slice(offset, end));
    offset = end;
    return { datatype, shape: shapes[index] as number[], data };
  });
}

/** The error for a state that a caller must not send, or must not ask for. */
export function wrongState(message: string, { member = "state" } = {}): NearcastError {
  return invalidInput([{ path: `parameters.${member}`, message }]);
}

function ownerOf({ name, version, artifact }: Manifest): string[] {
  return [name, version, artifact.sha256];
}

function hasShape(shape: readonly number[], wanted: readonly number[]): boolean {
  return (
    shape.length === wanted.length &&
    wanted.every((length, axis) => length === -1 || length === shape[axis])
  );
}

function elementsOf(datatype: Datatype, bytes: Uint8Array): Tensor["data"] {
  try {
    const data = fromBinary(datatype, bytes);
    if (numbersOf(data)?.every(Number.isFinite) ?? true) return data;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw wrongState("has values that are no finite numbers");
}
