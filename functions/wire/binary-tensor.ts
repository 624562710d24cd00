import { DATATYPES, type Datatype, type Tensor, type TensorData } from "../tensor.ts";

/** A BYTES element is a little-endian u32 length and that many bytes. */
const LENGTH_BYTES = 4;

/**
 * Reads elements of the binary tensor extension: little-endian and back to back. The result is a view on the bytes. If
 * they are not aligned for the datatype, they are moved back into the `spare` bytes before them, which nobody needs any
 * more. With too few spare bytes, they are copied. Throws a RangeError that says why the bytes do not fit. BYTES are
 * read up to `most` elements; it throws for more.
 */
export function fromBinary(
  datatype: Datatype,
  bytes: Uint8Array,
  { spare = 0, most = Infinity } = {},
): TensorData {
  if (datatype === "BYTES") return readStrings(bytes, most);
  const { array, bytes: size } = DATATYPES[datatype];
  if (bytes.byteLength % size !== 0)
    throw new RangeError(`has ${bytes.byteLength} bytes, ${datatype} elements have ${size}`);
  if (datatype === "BOOL" && bytes.some((byte) => byte > 1))
    throw new RangeError("has bytes other than 0 and 1 for BOOL");
  const gap = bytes.byteOffset % size;
  const aligned = gap === 0 ? bytes : gap <= spare ? movedBack(bytes, gap) : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  return new array(buffer as ArrayBuffer, byteOffset, byteLength / size);
}

/** A tensor in the binary tensor extension. It is a view on the elements, except for BYTES. */
export function toBinary({ datatype, data }: Pick<Tensor, "datatype" | "data">): Uint8Array {
  if (datatype === "BYTES") return writeStrings(data as string[]);
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The text of one BYTES element. Throws a RangeError for text that ONNX Runtime's strings cannot hold. */
export function textOf(bytes: Uint8Array, decoder = strictDecoder()): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new RangeError("has a BYTES element that is not UTF-8");
  }
  if (text.includes("\0")) throw new RangeError("has a BYTES element with a NUL character");
  return text;
}

function movedBack(bytes: Uint8Array, by: number): Uint8Array {
  const wider = new Uint8Array(bytes.buffer, bytes.byteOffset - by, bytes.byteLength + by);
  return wider.copyWithin(0, by).subarray(0, bytes.byteLength);
}

function strictDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
}

function readStrings(bytes: Uint8Array, most: number): string[] {
  const decoder = strictDecoder();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  let offset = 0;
  while (offset < bytes.byteLength) {
    const end = offset + LENGTH_BYTES;
    const length = end <= bytes.byteLength ? view.getUint32(offset, true) : Infinity;
    if (end + length > bytes.byteLength)
      throw new RangeError(`ends in the middle of BYTES element ${strings.length}`);
    if (strings.length === most)
      throw new RangeError(`has more BYTES elements than the ${most} that its shape holds`);
    strings.push(textOf(bytes.subarray(end, end + length), decoder));
    offset = end + length;
  }
  return strings;
}

function writeStrings(strings: readonly string[]): Uint8Array {
  const encoded = strings.map((text) => new TextEncoder().encode(text));
  const length = encoded.reduce((sum, { byteLength }) => sum + LENGTH_BYTES + byteLength, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const element of encoded) {
    view.setUint32(offset, element.byteLength, true);
    bytes.set(element, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + element.byteLength;
  }
  return bytes;
}
