// Reads the released version of every shipped model with its examples. The bare programs use it too: it only reads
// JSON.
import { readFile } from "node:fs/promises";
import type { Manifest } from "../functions/model/manifest.ts";
import { filesOfModels } from "../cli/local/models.ts";

export interface Shipped {
  manifest: Pick<Manifest, "name" | "task" | "inputs">;
  examples: { input: unknown; output?: unknown }[];
  artifact: string;
}

/** Reads `models/` below the working directory. */
export async function shippedModels(): Promise<Shipped[]> {
  const keys = await filesOfModels("models");
  return Promise.all(
    keys
      .filter((key) => key.endsWith("/release.json"))
      .map(async (key) => {
        const [model] = key.split("/");
        const { stable } = (await readJson(`models/${key}`)) as { stable: string };
        const folder = `models/${model}/${stable}`;
        const manifest = (await readJson(`${folder}/model.json`)) as Manifest;
        const examples = manifest.examplesFile
          ? await (await import("../cli/examples/files.ts")).readExamples({ folder, manifest })
          : manifest.examples;
        return { manifest, examples, artifact: `${folder}/${manifest.artifact.file}` };
      }),
  );
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}
