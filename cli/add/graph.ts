import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import type { Manifest } from "../../functions/model/manifest.ts";
import { NAME_PATTERN } from "../../functions/model/name.ts";
import { datatypeOfOrt } from "../../functions/tensor.ts";
import { externalDataFiles } from "./external-data.ts";

export type TensorInfo = Manifest["inputs"][number];

/** A model file as a user has it. */
export interface Graph {
  path: string;
  format: "onnx" | "ort";
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  /** Files beside it that hold weights. */
  externalData: string[];
}

/** Reads what goes in and out of an `.onnx` or `.ort` file. Throws an Error that says why it cannot. */
export async function readGraph(path: string): Promise<Graph> {
  const bytes = await readFile(path);
  const format = isOrt(bytes) ? "ort" : "onnx";
  const externalData = format === "onnx" ? await findExternalData(path, bytes) : [];
  const session = await InferenceSession.create(path, {
    executionProviders: ["cpu"],
    logSeverityLevel: 4,
    graphOptimizationLevel: "disabled",
  }).catch((cause: unknown) => {
    throw new Error(
      `${path} is not a model that ONNX Runtime can load; is it whole? ${firstLine(cause)}`,
      { cause },
    );
  });
  try {
    return {
      path,
      format,
      externalData,
      inputs: session.inputMetadata.map((info) => tensorInfo(info, "input")),
      outputs: session.outputMetadata.map((info) => tensorInfo(info, "output")),
    };
  } finally {
    await session.release();
  }
}

/** FlatBuffers of ONNX Runtime carry the identifier ORTM after their first offset. */
function isOrt(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(4, 8)) === "ORTM";
}

async function findExternalData(path: string, bytes: Uint8Array): Promise<string[]> {
  let files: string[];
  try {
    files = externalDataFiles(bytes);
  } catch (cause) {
    throw new Error(`${path} is not a whole ONNX file: ${firstLine(cause)}.`, { cause });
  }
  for (const file of files) {
    if (!NAME_PATTERN.test(file) || basename(file) !== file)
      throw new Error(
        `${path} keeps weights in ${JSON.stringify(file)}. They must lie beside it in a file with a plain name; save the model again with location="model.data".`,
      );
    if (!(await stat(join(dirname(path), file)).catch(() => undefined))?.isFile())
      throw new Error(`${path} keeps weights in ${file}, which does not lie beside it.`);
  }
  return files;
}

function tensorInfo(info: InferenceSession.ValueMetadata, what: "input" | "output"): TensorInfo {
  if (!info.isTensor)
    throw new Error(
      `The ${what} ${info.name} is no tensor but a map or a sequence, which ONNX Runtime Web does not have. From scikit-learn, export with options={"zipmap": False}.`,
    );
  if (info.type === "float16")
    throw new Error(
      `The ${what} ${info.name} is float16, which ONNX Runtime's JavaScript API does not take. Export the model with float32 inputs and outputs; its weights may stay float16.`,
    );
  return {
    name: info.name,
    datatype: datatypeOfOrt(info.type),
    shape: info.shape.map((size) => (typeof size === "number" && size >= 0 ? size : -1)),
  };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
