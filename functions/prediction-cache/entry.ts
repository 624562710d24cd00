import * as z from "zod";
import { datatypeNames, elementCount, type Tensors } from "../tensor.ts";
import { fromBinary, toBinary } from "../wire/binary-tensor.ts";
import { concatenate } from "../wire/body.ts";

/** The first bytes of the SHA-256 of the rest: what was damaged or cut off is told from an answer. */
const CHECK_BYTES = 16;
const LENGTH_BYTES = 4;

const description = z.array(
  z.tuple([
    z.string(),
    z.enum(datatypeNames),
    z.array(z.number().int().min(0)),
    z.number().int().min(0),
  ]),
);

/** Outputs as one piece of bytes: a check, the length of a description in JSON, that, and the elements. */
export async function writeEntry(outputs: Tensors): Promise<Uint8Array> {
  const tensors = Object.entries(outputs).map(([name, tensor]) => ({
    name,
    tensor,
    bytes: toBinary(tensor),
  }));
  const header = new TextEncoder().encode(
    JSON.stringify(
      tensors.map(({ name, tensor: { datatype, shape }, bytes }) => [
        name,
        datatype,
        shape,
        bytes.byteLength,
      ]),
    ),
  );
  const start = new Uint8Array(CHECK_BYTES + LENGTH_BYTES);
  new DataView(start.buffer).setUint32(CHECK_BYTES, header.byteLength);
  const parts = [start, header, ...tensors.map(({ bytes }) => bytes)];
  const entry = concatenate(
    parts,
    parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
  );
  entry.set(await checkOf(entry));
  return entry;
}

/** The outputs of an entry, none of them a view on it; undefined when it is damaged. */
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
  for (const [name, datatype, shape, length] of description.parse(JSON.parse(header))) {
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
