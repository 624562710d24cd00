import { fromHalfFloats } from "./half-floats.ts";

/** The arrays in which ONNX Runtime's JavaScript tensors hold their elements. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/**
 * The datatypes by their names in the Open Inference Protocol. Each has ONNX Runtime's name, the array for its
 * elements, and the bytes of one element on the wire (0: variable). FP16 elements are raw bits.
 */
export const DATATYPES = {
  BOOL: { ort: "bool", array: Uint8Array, bytes: 1 },
  INT8: { ort: "int8", array: Int8Array, bytes: 1 },
  INT16: { ort: "int16", array: Int16Array, bytes: 2 },
  INT32: { ort: "int32", array: Int32Array, bytes: 4 },
  INT64: { ort: "int64", array: BigInt64Array, bytes: 8 },
  UINT8: { ort: "uint8", array: Uint8Array, bytes: 1 },
  UINT16: { ort: "uint16", array: Uint16Array, bytes: 2 },
  UINT32: { ort: "uint32", array: Uint32Array, bytes: 4 },
  UINT64: { ort: "uint64", array: BigUint64Array, bytes: 8 },
  FP16: { ort: "float16", array: Uint16Array, bytes: 2 },
  FP32: { ort: "float32", array: Float32Array, bytes: 4 },
  FP64: { ort: "float64", array: Float64Array, bytes: 8 },
  BYTES: { ort: "string", array: Array, bytes: 0 },
} as const;

export type Datatype = keyof typeof DATATYPES;

export const datatypeNames = Object.keys(DATATYPES) as [Datatype, ...Datatype[]];

/** Row-major elements with their shape; `data.length` is the product of `shape`. */
export interface Tensor {
  datatype: Datatype;
  shape: readonly number[];
  data: TensorData;
}

export type Tensors = Record<string, Tensor>;

/** The datatype that ONNX Runtime calls `ort`. Throws a TypeError for those that no wire format names. */
export function datatypeOfOrt(ort: string): Datatype {
  const found = datatypeNames.find((name) => DATATYPES[name].ort === ort);
  if (!found)
    throw new TypeError(`ONNX Runtime datatype ${ort} has no Open Inference Protocol name`);
  return found;
}

/**
 * The numbers of an FP32, FP64 or FP16 tensor. Only read them: they may be the tensor's own. Undefined for other
 * datatypes.
 */
export function numbersOf(data: TensorData | undefined): Float32Array | Float64Array | undefined {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  return data instanceof Uint16Array ? fromHalfFloats(data) : undefined;
}

/** A copy of the rows of a tensor from `from` on: a part of its first dimension. */
export function rowsFrom({ datatype, shape, data }: Tensor, from: number, rows: number): Tensor {
  const width = elementCount(shape.slice(1));
  return {
    datatype,
    shape: [rows, ...shape.slice(1)],
    data: data.slice(from * width, (from + rows) * width),
  };
}

/** Like {@link rowsFrom}, but copies only texts. Other elements stay in the tensor's memory. */
export function viewOfRows({ datatype, shape, data }: Tensor, from: number, rows: number): Tensor {
  const width = elementCount(shape.slice(1));
  const [start, end] = [from * width, (from + rows) * width];
  return {
    datatype,
    shape: [rows, ...shape.slice(1)],
    data: Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end),
  };
}

/** Joins the rows of tensors. They may differ only in their first dimension. */
export function joinedRows(tensors: readonly Tensor[]): Tensor {
  const { datatype, shape } = tensors[0] as Tensor;
  const rows = tensors.reduce((sum, tensor) => sum + (tensor.shape[0] ?? 0), 0);
  return { datatype, shape: [rows, ...shape.slice(1)], data: joinedData(datatype, tensors) };
}

function joinedData(datatype: Datatype, tensors: readonly Tensor[]): TensorData {
  if (datatype === "BYTES") return tensors.flatMap(({ data }) => data as string[]);
  const length = tensors.reduce((sum, { data }) => sum + data.length, 0);
  // The datatype decides which kind of array this is.
  const all = new DATATYPES[datatype].array(length) as Float32Array;
  let offset = 0;
  for (const { data } of tensors) {
    all.set(data as Float32Array, offset);
    offset += data.length;
  }
  return all;
}

/** How many elements a shape has. A scalar's empty shape has one. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
