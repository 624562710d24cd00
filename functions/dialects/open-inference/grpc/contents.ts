import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DATATYPES, type Datatype, type Tensor, type TensorData } from "../../../tensor.ts";
import { fromBinary, textOf, toBinary } from "../../../wire/binary-tensor.ts";
import { fromJsonData } from "../../../wire/json-tensor.ts";
import type { InferTensorContents } from "./open_inference_pb.ts";

/**
 * The field of InferTensorContents for each datatype, with the name of its member. Several datatypes share a field. FP16
 * has none.
 */
const FIELDS = {
  BOOL: [1, "boolContents"],
  INT8: [2, "intContents"],
  INT16: [2, "intContents"],
  INT32: [2, "intContents"],
  INT64: [3, "int64Contents"],
  UINT8: [4, "uintContents"],
  UINT16: [4, "uintContents"],
  UINT32: [4, "uintContents"],
  UINT64: [5, "uint64Contents"],
  FP32: [6, "fp32Contents"],
  FP64: [7, "fp64Contents"],
  BYTES: [8, "bytesContents"],
} as const;

/** Whether elements of the datatype can be in a field of their own. */
export function hasContents(datatype: Datatype): datatype is keyof typeof FIELDS {
  return datatype !== "FP16";
}

/**
 * The elements of an InferTensorContents, as its bytes. The generated code would make a list of numbers, which takes up
 * to thirty times the memory. Throws a RangeError for elements of another datatype, for more than `most`, and for numbers
 * that the datatype cannot hold.
 */
export function readContents(bytes: Uint8Array, datatype: Datatype, most: number): TensorData {
  const reader = new BinaryReader(bytes);
  const elements = new Elements(datatype, Math.min(most, bytes.byteLength), most);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field < 1 || field > FIELDS.BYTES[0]) reader.skip(type, field);
    else if (field !== fieldOf(datatype))
      throw new RangeError(`has contents of another datatype than ${datatype}`);
    else elements.read(reader, type);
  }
  return elements.all();
}

/** The elements of a message that was read from JSON. Throws as {@link readContents} does. */
export function contentsOf(message: InferTensorContents, datatype: Datatype): TensorData {
  const own = hasContents(datatype) ? FIELDS[datatype][1] : undefined;
  for (const [, name] of Object.values(FIELDS))
    if (name !== own && message[name].length > 0)
      throw new RangeError(`has ${name}, which hold no ${datatype}`);
  if (datatype === "BYTES") return message.bytesContents.map((bytes) => textOf(bytes));
  // Other than JSON's numbers, these may be infinite.
  if (datatype === "FP32") return Float32Array.from(message.fp32Contents);
  if (datatype === "FP64") return Float64Array.from(message.fp64Contents);
  return fromJsonData(datatype, own ? message[own] : []);
}

function fieldOf(datatype: Datatype): number | undefined {
  return hasContents(datatype) ? FIELDS[datatype][0] : undefined;
}

/** Collects the elements of one tensor. A list may come packed, one by one, or in several parts. */
class Elements {
  readonly #datatype: Datatype;
  readonly #most: number;
  readonly #room: number;
  #data: TensorData | undefined;
  #count = 0;

  /** `room` is for the elements that can come. More than `most` are refused. */
  constructor(datatype: Datatype, room: number, most: number) {
    this.#datatype = datatype;
    this.#room = room;
    this.#most = most;
  }

  read(reader: BinaryReader, type: WireType): void {
    if (type === elementType(this.#datatype)) this.#push(reader);
    else if (type === WireType.LengthDelimited) this.#readPacked(reader);
    else throw new RangeError(`has contents that are no ${this.#datatype}`);
  }

  all(): TensorData {
    const data = this.#data ?? this.#allocate();
    return Array.isArray(data) ? data : data.subarray(0, this.#count);
  }

  #readPacked(reader: BinaryReader): void {
    const packed = reader.bytes();
    // Packed floats are the binary form.
    if (!this.#data && reader.pos === reader.len && this.#datatype.startsWith("FP")) {
      const data = fromBinary(this.#datatype, packed);
      this.#count = data.length;
      this.#data = data;
      return;
    }
    const inner = new BinaryReader(packed);
    while (inner.pos < inner.len) this.#push(inner);
  }

  #push(reader: BinaryReader): void {
    if (this.#count === this.#most)
      throw new RangeError(`has more elements than the ${this.#most} that its shape holds`);
    const data = (this.#data ??= this.#allocate());
    const index = this.#count++;
    const element = readElement(reader, this.#datatype);
    data[index] = element as never;
    if (data[index] !== element && !Number.isNaN(element))
      throw new RangeError(`element ${index} must be a number that ${this.#datatype} can hold`);
  }

  #allocate(): TensorData {
    return this.#datatype === "BYTES" ? [] : new DATATYPES[this.#datatype].array(this.#room);
  }
}

/** How one element is written that is not packed. */
function elementType(datatype: Datatype): WireType {
  if (datatype === "BYTES") return WireType.LengthDelimited;
  if (datatype === "FP32") return WireType.Bit32;
  return datatype === "FP64" ? WireType.Bit64 : WireType.Varint;
}

function readElement(reader: BinaryReader, datatype: Datatype): number | bigint | string {
  switch (datatype) {
    case "BOOL":
      return reader.bool() ? 1 : 0;
    case "INT8":
    case "INT16":
    case "INT32":
      return reader.int32();
    case "UINT8":
    case "UINT16":
    case "UINT32":
      return reader.uint32();
    case "INT64":
      return BigInt(reader.int64());
    case "UINT64":
      return BigInt(reader.uint64());
    case "FP32":
      return reader.float();
    case "FP64":
      return reader.double();
    case "BYTES":
      return textOf(reader.bytes());
    case "FP16":
      throw new RangeError("has contents, but FP16 must be raw");
  }
}

/** Writes the elements of a tensor as an InferTensorContents. Not for FP16. */
export function writeContents({ datatype, data }: Tensor): Uint8Array {
  const field = fieldOf(datatype) ?? 0;
  const writer = new BinaryWriter();
  if (Array.isArray(data)) {
    const encoder = new TextEncoder();
    for (const text of data)
      writer.tag(field, WireType.LengthDelimited).bytes(encoder.encode(text));
    return writer.finish();
  }
  if (data.length === 0) return writer.finish();
  writer.tag(field, WireType.LengthDelimited);
  // Each BOOL is a byte of 0 or 1, as in the binary form. Floats are packed as they are there.
  if (datatype === "BOOL" || datatype.startsWith("FP"))
    return writer.bytes(toBinary({ datatype, data })).finish();
  writer.fork();
  if (data instanceof BigInt64Array) for (const value of data) writer.int64(value);
  else if (data instanceof BigUint64Array) for (const value of data) writer.uint64(value);
  else if (datatype.startsWith("U")) for (const value of data) writer.uint32(value);
  else for (const value of data) writer.int32(value);
  return writer.join().finish();
}
