import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromHalfFloats } from "../../functions/half-floats.ts";
import { elementCount, type Datatype, type Tensor } from "../../functions/tensor.ts";
import { fromBinary } from "../../functions/wire/binary-tensor.ts";

/** A tensor as cases.py writes it. */
interface Written {
  datatype: string;
  shape: number[];
  data: string | string[];
}

/** One of ONNX's own backend cases: a graph, its inputs and the outputs that are right. */
export interface Case {
  name: string;
  kind: string;
  operators: string[];
  rtol: number;
  atol: number;
  /** Types that no tensor of the protocol can hold. */
  untyped: string[];
  /** Why ONNX Runtime itself does not pass. */
  fails?: string | null;
  sets?: { inputs: Record<string, Written>; outputs: Record<string, Written> }[];
}

const NAMES: Record<string, Datatype> = {
  bool: "BOOL",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  object: "BYTES",
};

export async function readCases(folder: string): Promise<Case[]> {
  const lines = (await readFile(join(folder, "cases.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Case);
}

export function tensorsOf(written: Record<string, Written>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(written).map(([name, one]) => [name, tensorOf(one)]));
}

function tensorOf({ datatype: name, shape, data }: Written): Tensor {
  const datatype = NAMES[name];
  if (!datatype) throw new Error(`${name} is no datatype of the protocol`);
  if (typeof data !== "string") return { datatype, shape, data };
  return { datatype, shape, data: fromBinary(datatype, Buffer.from(data, "base64")) };
}

/** In what a tensor is otherwise than the right one. Undefined where it is within the case's tolerance. */
export function wrongIn(
  name: string,
  found: Tensor | undefined,
  right: Tensor,
  { rtol, atol }: Pick<Case, "rtol" | "atol">,
): string | undefined {
  if (!found) return `${name} is missing`;
  if (found.datatype !== right.datatype)
    return `${name} is ${found.datatype}, not ${right.datatype}`;
  if (String(found.shape) !== String(right.shape))
    return `${name} has shape [${found.shape.join()}], not [${right.shape.join()}]`;
  if (found.data.length !== elementCount(right.shape))
    return `${name} has ${found.data.length} elements`;
  const [own, other] = [elementsOf(found), elementsOf(right)];
  const odd = own.findIndex((value, at) => !isClose(value, other[at], { rtol, atol }));
  return odd < 0 ? undefined : `${name}[${odd}] is ${own[odd]}, not ${other[odd]}`;
}

type Element = string | number | bigint;

function elementsOf({ datatype, data }: Tensor): Element[] {
  return datatype === "FP16" ? [...fromHalfFloats(data as Uint16Array)] : [...data];
}

/** As NumPy's assert_allclose has it: NaN is like NaN, an infinity like itself. */
function isClose(
  value: Element,
  right: Element | undefined,
  { rtol, atol }: Pick<Case, "rtol" | "atol">,
): boolean {
  if (value === right || Object.is(value, right)) return true;
  if (typeof right === "string") return false;
  const [own, other] = [Number(value), Number(right)];
  return Number.isFinite(other) && Math.abs(own - other) <= atol + rtol * Math.abs(other);
}
