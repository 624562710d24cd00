import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { writeVersion } from "../../cli/write-version.ts";
import { fixture } from "./service.ts";

interface Row {
  labels: string[];
  hypothesis_template?: string;
  /** The best first. */
  scores: [label: string, score: number][];
}

/** What transformers makes of a model. */
export interface Case {
  model: string;
  /** For each picture. */
  rows: Row[];
  sentences: string[];
  /** Of the sentences, without padding but that of the model's own. */
  tokens: number[][];
  /** The vectors of the sentences. */
  texts: number[][];
  /** The vectors of the pictures. */
  images: number[][];
}

async function zipped(path: string): Promise<unknown> {
  return JSON.parse(gunzipSync(await fixture(path)).toString());
}

/** What make.py recorded. */
export const { cases } = (await zipped("zero-shot-images/recorded.json.gz")) as { cases: Case[] };

/** In base64. */
export const { pictures } = (await zipped("hugging-face/tasks/image-vectors.json.gz")) as {
  pictures: string[];
};

const folder = join(import.meta.dirname, "../fixtures/zero-shot-images");

/** Adds the joint graphs and the towers (`clip`, `clip-text`, `clip-vision`) to a new folder, and releases them. */
export async function addedModels(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
  for (const { model } of cases)
    for (const [end, of] of [
      ["", "model"],
      ["-text", "text_model"],
      ["-vision", "vision_model"],
    ]) {
      const name = `${model}${end}`;
      const file = `onnx/${of}.onnx`;
      const { graph, assets, manifest } = await draftFromHuggingFace(join(folder, model), { file });
      const about = { name, version: "1", description: "", examples: [], metrics: [] };
      await writeVersion(
        models,
        { ...about, ...manifest },
        { artifact: { path: graph.path, file: "model.onnx" }, externalData: [], assets },
        async (made) => made.manifest,
      );
      await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
    }
  return models;
}
