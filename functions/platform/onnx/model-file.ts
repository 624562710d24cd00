import { open } from "node:fs/promises";
import { lengthDelimited, text } from "./external-data.ts";
import { kindByName } from "./file-endings.ts";
import { foreignKind, HEAD_BYTES, pointerKind, textKind } from "./file-kind.ts";

// Fields of ModelProto, GraphProto, ValueInfoProto, TypeProto and its tensor (onnx.proto).
const GRAPH = 7;
const VALUES = { input: 11, output: 12 };
const VALUE_NAME = 1;
const VALUE_TYPE = 2;
const TENSOR_TYPE = 1;
const TENSOR_SHAPE = 2;

/** Throws an Error if the file is no ONNX model. It says what the file is and what to do. */
export function checkModelFile(path: string, bytes: Uint8Array): void {
  const problem = problemOf(bytes);
  if (problem === undefined) return;
  const kind = foreignKind(bytes) ?? kindByName(path) ?? textKind(bytes);
  throw new Error(
    kind ? `${path} is ${kind.what}. ${kind.how}` : `${path} is not a whole ONNX file: ${problem}.`,
  );
}

/** Throws an Error when a file of weights is only a pointer to them. Weights themselves have no mark. */
export async function checkWeightsFile(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const kind = pointerKind(buffer.subarray(0, bytesRead));
    if (kind) throw new Error(`${path} is ${kind.what}. ${kind.how}`);
  } finally {
    await file.close();
  }
}

/** The inputs or outputs that have no shape in an ONNX file, not even a number of dimensions. */
export function withoutRank(bytes: Uint8Array, what: "input" | "output"): ReadonlySet<string> {
  const names = new Set<string>();
  for (const graph of fields(bytes, GRAPH))
    for (const value of fields(graph, VALUES[what])) {
      const [name] = fields(value, VALUE_NAME);
      const [tensor] = fields(value, VALUE_TYPE).flatMap((type) => fields(type, TENSOR_TYPE));
      if (name && tensor && fields(tensor, TENSOR_SHAPE).length === 0) names.add(text(name));
    }
  return names;
}

/** Why the bytes are no ONNX model. Undefined if they are one. */
function problemOf(bytes: Uint8Array): string | undefined {
  try {
    const [graph] = fields(bytes, GRAPH);
    if (graph && fields(graph, VALUES.output).length > 0) return undefined;
  } catch (cause) {
    const reason = (cause as Error).message;
    return `${reason}, and it has ${bytes.byteLength} bytes. Compare that with where it comes from, and copy or download it again`;
  }
  return "it has no graph with outputs. Export the model again, and add that file";
}

function fields(message: Uint8Array, wanted: number): Uint8Array[] {
  return [...lengthDelimited(message)].flatMap(([field, content]) =>
    field === wanted ? [content] : [],
  );
}
