import * as z from "zod";
import { datatypeNames, elementCount, type Tensors } from "../tensor.ts";
import { fromBinary } from "../wire/binary-tensor.ts";
import { LENGTH_BYTES, tensorBytes } from "./tensor-bytes.ts";

/** An entry begins with this many bytes of the SHA-256 of the rest. They show whether it was damaged or cut off. */
const CHECK_BYTES = 16;

const size = z.number().int().min(0);
const description = z.tuple([
  z.literal("outputs"),
  z.array(z.tuple([z.string(), z.enum(datatypeNames), z.array(size), size])),
]);

/** Writes outputs as one piece of bytes: a check, then {@link tensorBytes}. */
export async function writeEntry(outputs: Tensors): Promise<Uint8Array> {
  const entry = tensorBytes(Object.entries(outputs), { about: "outputs", reserved: CHECK_BYTES });
  entry.set(await checkOf(entry));
  return entry;
}

/** Reads the outputs of an entry, as copies. Undefined when the entry is damaged. */
export async function readEntry(entry: Uint8Array): Promise<Tensors | undefined> {
  if (entry.byteLength < CHECK_BYTES + LENGTH_BYTES) return undefined;
  const check = await checkOf(entry);
  if (check.some((byte, index) => byte !== entry[index])) return undefined;
  try {
    return readTensors(entry);
  } catch {
    return undefined;
  }
}

function readTensors(entry: Uint8Array): Tensors {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  const headerStart = CHECK_BYTES + LENGTH_BYTES;
  let offset = headerStart + view.getUint32(CHECK_BYTES);
  const header = new TextDecoder().decode(entry.subarray(headerStart, offset));
  const outputs: Tensors = {};
  const [, tensors] = description.parse(JSON.parse(header));
  for (const [name, datatype, shape, length] of tensors) {
    const data = fromBinary(datatype, new Uint8Array(entry.subarray(offset, offset + length)));
    if (data.length !== elementCount(shape))
      throw new RangeError(`${name} does not fill its shape`);
    outputs[name] = { datatype, shape, data };
    offset += length;
  }
  return outputs;
}

async function checkOf(entry: Uint8Array): Promise<Uint8Array> {
  const rest = entry.subarray(CHECK_BYTES) as BufferSource;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", rest)).subarray(0, CHECK_BYTES);
}
