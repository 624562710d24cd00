import { fromHalfFloats } from "../../functions/half-floats.ts";
import { elementCount } from "../../functions/tensor.ts";

/** An array of a NumPy file, row-major. Booleans are bytes. */
export interface NpyArray {
  type: NpyType;
  shape: readonly number[];
  data: ArrayLike<number | bigint>;
}

export type NpyType = keyof typeof TYPES;

/** Types by NumPy's name, each with the array class that holds the elements. FP16 elements are raw bits. */
const TYPES = {
  "|b1": Uint8Array,
  "|i1": Int8Array,
  "|u1": Uint8Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
  "<i8": BigInt64Array,
  "<u8": BigUint64Array,
  "<f2": Uint16Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Elements begin at a multiple of this. */
const ALIGNMENT = 64;

/** Reads a `.npy` file (NEP 1). Throws an Error that says what is wrong, and how to save the array again. */
export function readNpy(bytes: Uint8Array): NpyArray {
  const latin1 = new TextDecoder("latin1");
  if (!MAGIC.every((byte, index) => bytes[index] === byte))
    throw new Error("it is no NumPy file. Save the array with numpy.save");
  const isFirst = bytes[MAGIC.length] === 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = MAGIC.length + (isFirst ? 4 : 6);
  if (bytes.byteLength < start) throw new Error("it ends within its header. Copy it again");
  const length = isFirst
    ? view.getUint16(MAGIC.length + 2, true)
    : view.getUint32(MAGIC.length + 2, true);
  const header = latin1.decode(bytes.subarray(start, start + length));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  if (!isType(type))
    throw new Error(
      `its elements are ${type || "records"}. Save numbers or booleans in little-endian order, such as array.astype("<f4")`,
    );
  if (/'fortran_order':\s*True/.test(header))
    throw new Error("it is in Fortran order. Save numpy.ascontiguousarray(array)");
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  const count = elementCount(shape);
  // A copy begins at an offset that suits every type.
  const elements = new Uint8Array(bytes.subarray(start + length));
  const wanted = count * TYPES[type].BYTES_PER_ELEMENT;
  if (elements.byteLength !== wanted)
    throw new Error(
      `it has ${elements.byteLength} bytes of elements, and its shape [${shape.join(", ")}] needs ${wanted}. Copy it again`,
    );
  return { type, shape, data: new TYPES[type](elements.buffer) };
}

/** A `.npy` file with these elements, as `numpy.save` writes it. */
export function writeNpy({ type, shape, data }: NpyArray): Uint8Array {
  const sizes = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const before = MAGIC.length + 4;
  const length = Math.ceil((before + header.length + 1) / ALIGNMENT) * ALIGNMENT - before;
  const text = `${header.padEnd(length - 1)}\n`;
  const elements = new TYPES[type](data as ArrayLike<number> & ArrayLike<bigint>);
  const bytes = new Uint8Array(before + length + elements.byteLength);
  bytes.set([...MAGIC, 1, 0, length & 0xff, length >> 8]);
  bytes.set(new TextEncoder().encode(text), before);
  bytes.set(new Uint8Array(elements.buffer), before + length);
  return bytes;
}

/** The elements as JSON values. 64-bit integers that a number cannot hold are decimal strings. */
export function jsonElements({ type, data }: NpyArray): unknown[] {
  const numbers = type === "<f2" ? fromHalfFloats(data as Uint16Array) : data;
  return Array.from(numbers, (value): unknown => {
    if (type === "|b1") return value !== 0;
    if (typeof value !== "bigint") return value;
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  });
}

function isType(text: string): text is NpyType {
  return Object.hasOwn(TYPES, text);
}
