import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { environment, nearcast, WITHOUT_LOG, type Peer } from "./servers.ts";

const here = import.meta.dirname;
/** The folder of the model, which answers the texts of `sentiment`. */
export const BERT_MODELS = join(here, "../../.cache/peers/bert-models");
const folder = join(BERT_MODELS, "bert/1");
const PATH = "/v1/models/bert/predict";
const INPUTS = ["input_ids", "attention_mask", "token_type_ids"];

/** Makes a text model of 28 MB where it is missing: BERT-small's shape in INT8, with weights of a fixed seed. */
export async function makeBert(): Promise<void> {
  const python = join(await environment("bert"), "python");
  const made = await readFile(join(BERT_MODELS, "bert/release.json")).catch(() => undefined);
  if (made) return;
  await promisify(execFile)(python, [join(here, "make_bert.py"), folder]);
  const described = async (file: string) => {
    const bytes = await readFile(join(folder, file));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { file, sha256, bytes: bytes.byteLength };
  };
  const manifest = {
    schema: 1,
    name: "bert",
    version: "1",
    task: "text-classification",
    description: "BERT-small's shape, with random weights.",
    artifact: await described("model.onnx"),
    assets: [await described("tokenizer.json")],
    inputs: INPUTS.map((name) => ({ name, datatype: "INT64", shape: [-1, -1] })),
    outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 2] }],
    labels: ["negative", "positive"],
    scores: { output: "logits", activation: "softmax" },
    text: { tokenizer: "tokenizer.json", maxLength: 128 },
    examples: [{ input: "It works.", output: { label: "positive" } }],
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
  await copyFile("models/sentiment/heldout.jsonl", join(BERT_MODELS, "bert/heldout.jsonl"));
  await writeFile(join(BERT_MODELS, "bert/release.json"), '{"stable":"1"}');
}

/** The servers of that model. */
export const BERT_PEERS: Peer[] = [
  ours("Nearcast", {}),
  ours("Nearcast, joined runs", { DYNAMIC_BATCHING: "bert:32" }),
  {
    name: "FastAPI",
    format: "json",
    path: () => PATH,
    command: async (port) => ({
      command: join(await environment("bert"), "uvicorn"),
      args: ["bert_server:app", "--app-dir", here, "--port", String(port), "--no-access-log"],
      env: { MODEL: folder },
    }),
    packages: ["fastapi", "onnxruntime", "tokenizers"],
  },
];

function ours(name: string, env: Record<string, string>): Peer {
  return { ...nearcast(name, { ...WITHOUT_LOG, ...env, STORE: BERT_MODELS }), path: () => PATH };
}
