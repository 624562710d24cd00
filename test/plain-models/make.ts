import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Fields of protobuf, as bytes: enough of onnx.proto for small models, apart from the code that reads them. */
const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
const number = (field: number, value: number) => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, content: readonly number[]) => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...content,
];
const text = (field: number, content: string) => bytes(field, [...Buffer.from(content)]);

export interface Scaling {
  /** What each of the three numbers of a row is multiplied with. */
  factors: readonly [number, number, number];
  /** The file that has these factors, beside the model. */
  weights?: string;
  /** The name of the rows' dimension. */
  rows?: string;
}

/** An ONNX file that multiplies rows `x` [-1, 3] of FP32 with its factors, to `y`. */
export function scaling({ factors, weights, rows = "batch" }: Scaling): Uint8Array {
  const entry = (key: string, value: string) => bytes(13, [...text(1, key), ...text(2, value)]);
  const content =
    weights === undefined
      ? bytes(9, [...floats(factors)])
      : [...entry("location", weights), ...entry("length", "12"), ...number(14, 1)];
  const tensor = [...number(1, 3), ...number(2, 1), ...text(8, "w"), ...content];
  const node = [...text(1, "x"), ...text(1, "w"), ...text(2, "y"), ...text(4, "Mul")];
  const shape = [...bytes(1, text(2, rows)), ...bytes(1, number(1, 3))];
  const value = (name: string) => [
    ...text(1, name),
    ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, shape)])),
  ];
  const graph = [
    ...bytes(1, node),
    ...text(2, "g"),
    ...bytes(5, tensor),
    ...bytes(11, value("x")),
    ...bytes(12, value("y")),
  ];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17))]);
}

/** The bytes of a file of weights. */
export function floats(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** Writes files below a folder. */
export async function lay(folder: string, files: Record<string, string | Uint8Array>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
