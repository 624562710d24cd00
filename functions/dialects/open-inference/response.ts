import { concatenate } from "../../concatenate.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Tensors } from "../../tensor.ts";
import { toBinary } from "../../wire/binary-tensor.ts";
import { TensorJson } from "../../wire/json-pieces.ts";

export interface InferAnswer {
  manifest: Manifest;
  id?: string | undefined;
  tensors: Tensors;
  isBinary: (output: string) => boolean;
}

/**
 * Writes an Open Inference Protocol answer and its headers: JSON, then the outputs that the client wants in binary.
 * `write` makes the JSON.
 */
export async function writeInferAnswer(
  { manifest, id, tensors, isBinary }: InferAnswer,
  write: (value: object) => string | Promise<string>,
) {
  const chunks: Uint8Array[] = [];
  const outputs = Object.entries(tensors).map(([name, tensor]) => {
    const { datatype, shape } = tensor;
    if (!isBinary(name)) return { name, datatype, shape, data: new TensorJson(tensor, "flat") };
    const chunk = toBinary(tensor);
    chunks.push(chunk);
    return { name, datatype, shape, parameters: { binary_data_size: chunk.byteLength } };
  });
  const written = write({
    model_name: manifest.name,
    model_version: manifest.version,
    ...(id !== undefined && { id }),
    outputs,
  });
  const json = typeof written === "string" ? written : await written;
  if (!outputs.some(({ name }) => isBinary(name)))
    return { body: json, headers: { "Content-Type": "application/json" } };
  const head = new TextEncoder().encode(json);
  return {
    body: concatenate([head, ...chunks]),
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(head.byteLength),
    },
  };
}
