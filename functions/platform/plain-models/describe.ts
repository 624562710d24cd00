import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest, PackageFile } from "../../model/manifest.ts";
import { batchOf } from "../onnx/batch-dimension.ts";
import { readGraph } from "../onnx/graph.ts";
import type { FoundVersion } from "./find.ts";

/** A plain ONNX file with the manifest that it would have as a package. */
export interface Described {
  manifest: Manifest;
  /** Where each of its files lies, or its content where the graph had to be changed. */
  files: Map<string, string | Uint8Array>;
}

/**
 * Makes the manifest of a plain ONNX file: the task `tensor`, with inputs and outputs as the graph names them. Throws an
 * Error that says what is wrong with the file, or that it exceeds `mostBytes`.
 */
export async function describePlain(
  { model, version, folder, file }: FoundVersion & { file: string },
  mostBytes: number,
): Promise<Described> {
  const path = join(folder, file);
  checkSize(path, (await stat(path)).size, mostBytes);
  const graph = await readGraph(path);
  const { inputs, outputs } = graph;
  const files = new Map<string, string | Uint8Array>([[file, graph.bytes ?? path]]);
  for (const weights of graph.externalData) files.set(weights, join(folder, weights));
  const [artifact, ...externalData] = await Promise.all([...files].map(packageFile));
  if (!artifact) throw new Error(`${path} is gone`);
  const bytes = externalData.reduce((sum, one) => sum + one.bytes, artifact.bytes);
  checkSize(path, bytes, mostBytes);
  const { notes, ...batch } = batchOf(graph);
  const manifest: Manifest = {
    schema: 1,
    name: model,
    version,
    task: "tensor",
    description: [`${file}, as it was found.`, ...graph.changes, ...notes].join(" "),
    artifact: { ...artifact, ...(externalData.length > 0 && { externalData }) },
    inputs,
    outputs,
    ...batch,
    examples: [],
    metrics: [],
  };
  return { manifest, files };
}

function checkSize(path: string, bytes: number, most: number): void {
  if (bytes > most)
    throw new Error(
      `${path} has ${bytes} bytes with its weights, and the session budget is ${most}: SESSION_BUDGET_MB raises it`,
    );
}

async function packageFile([file, source]: [string, string | Uint8Array]): Promise<PackageFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  const parts = typeof source === "string" ? createReadStream(source) : [source];
  for await (const part of parts as AsyncIterable<Uint8Array>) {
    hash.update(part);
    bytes += part.byteLength;
  }
  return { file, sha256: hash.digest("hex"), bytes };
}
