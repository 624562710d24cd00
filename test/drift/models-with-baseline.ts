import { cp, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, succeed } from "../cli/nearcast.ts";

/** Makes a folder of models with iris, which has a baseline and is released. The caller removes it. */
export async function modelsWithBaseline(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-drift-"));
  await mkdir(join(models, "iris"));
  await cp(join(root, "models/iris/1"), join(models, "iris/1"), { recursive: true });
  const heldOut = join(root, "models/iris/heldout.jsonl");
  await succeed(["baseline", "iris", "--models", models, "--data", heldOut]);
  await writeFile(join(models, "iris/release.json"), JSON.stringify({ stable: "1" }));
  return models;
}

/** Makes iris keep its predictions for feedback. */
export async function keepForFeedback(models: string): Promise<void> {
  const path = join(models, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const feedback = { keptSeconds: 3600, calibrated: true };
  await writeFile(path, JSON.stringify({ ...manifest, feedback }));
}
