import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";

export type RuntimeName = "native" | "wasm";
export const RUNTIMES: RuntimeName[] = ["native", "wasm"];

export interface Answer {
  status: number;
  outputs: unknown;
  /** RFC 9457: what was wrong, and where. */
  code: string;
  detail: string;
  errors: { path: string; message: string }[];
}

/** The service over a folder of packages, as the Node server runs it, but without a socket. */
export function openService(store: string, runtime: RuntimeName, env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE: store, RUNTIME: runtime, ...env });
  const logs: Record<string, unknown>[] = [];
  platform.log = (entry) => void logs.push(entry);
  const app = createApp(createService(platform));
  return {
    logs,
    post: async (
      path: string,
      body: string | Uint8Array<ArrayBuffer>,
      headers: Record<string, string> = {},
    ) => {
      const type = { "Content-Type": "application/json" };
      const response = await app.request(path, {
        method: "POST",
        headers: { ...type, ...headers },
        body,
      });
      return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
    },
    predict: async (model: string, inputs: unknown, parameters?: unknown): Promise<Answer> => {
      const response = await app.request(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs, parameters }),
      });
      return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
    },
  };
}

export interface PackageParts {
  /** The package's artifact. */
  artifact: Uint8Array;
  externalData?: Record<string, Uint8Array>;
  assets?: Record<string, Uint8Array>;
  /** The rest of model.json. `name` is also its folder. */
  manifest: { name: string; task: string } & Record<string, unknown>;
}

export function emptyStore(): Promise<string> {
  return mkdtemp(join(tmpdir(), "nearcast-tasks-"));
}

/** Writes version 1 of a model and releases it. */
export async function writePackage(store: string, parts: PackageParts): Promise<void> {
  const { artifact, externalData = {}, assets = {}, manifest } = parts;
  const folder = join(store, manifest.name, "1");
  await mkdir(folder, { recursive: true });
  const files = { "model.onnx": artifact, ...externalData, ...assets };
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(folder, file), bytes);
  const document = {
    schema: 1,
    version: "1",
    description: "",
    artifact: {
      ...entry("model.onnx", artifact),
      ...(parts.externalData && { externalData: entries(externalData) }),
    },
    ...(parts.assets && { assets: entries(assets) }),
    ...manifest,
  };
  await writeFile(join(folder, "model.json"), JSON.stringify(document));
  await writeFile(join(store, manifest.name, "release.json"), '{"stable":"1"}');
}

export function fixture(path: string): Promise<Uint8Array> {
  return readFile(new URL(`../fixtures/${path}`, import.meta.url));
}

function entries(files: Record<string, Uint8Array>) {
  return Object.entries(files).map(([file, bytes]) => entry(file, bytes));
}

function entry(file: string, bytes: Uint8Array) {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, sha256, bytes: bytes.byteLength };
}

/** The parts of a small BERT-shaped model with outside weights and a tokenizer. */
export async function bertPackage(): Promise<PackageParts> {
  return {
    artifact: await fixture("bert/model.onnx"),
    externalData: { "model.onnx_data": await fixture("bert/model.onnx_data") },
    assets: { "tokenizer.json": await fixture("tokenizers/wordpiece.json") },
    manifest: {
      name: "bert",
      task: "feature-extraction",
      inputs: ["input_ids", "attention_mask", "token_type_ids"].map((name) => ({
        name,
        datatype: "INT64",
        shape: [-1, -1],
      })),
      outputs: [{ name: "last_hidden_state", datatype: "FP32", shape: [-1, -1, 16] }],
      text: { tokenizer: "tokenizer.json", maxLength: 16 },
    },
  };
}
