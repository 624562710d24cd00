import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { nearcast } from "../cli/nearcast.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { folder as segmentation } from "./image-segmentation.ts";
import { addReader } from "./image-to-text.ts";
import { folder } from "./object-detection.ts";
import { addedModels } from "./zero-shot-images.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-own-tensors-"));
afterAll(() => rm(models, { recursive: true }));

/** Gives a model a baseline of its answers, so that each call is counted. */
async function count(name: string, quantity: string): Promise<void> {
  const path = join(models, name, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const counted = { name: quantity, of: "prediction", edges: [0.5], counts: [5, 5, 0] };
  await writeFile(
    path,
    JSON.stringify({ ...manifest, baseline: { rows: 10, quantities: [counted] } }),
  );
}

await addExport(models, "mask-bert");
await count("mask-bert", "prediction.score");
await nearcast(["add", join(folder, "yolo8.onnx"), "--name", "yolo8", "--models", models]);
await writeFile(join(models, "yolo8/release.json"), '{"stable":"1"}');
await count("yolo8", "prediction.detections");
await nearcast(["add", join(segmentation, "upernet"), "--name", "upernet", "--models", models]);
await writeFile(join(models, "upernet/release.json"), '{"stable":"1"}');
await count("upernet", "prediction.segments");
await addReader(models, "crnn");
await count("crnn", "prediction.score");

await cp(join(await addedModels(), "clip"), join(models, "clip"), { recursive: true });
await count("clip", "prediction.score");

const ids = (name: string) => ({ name, datatype: "INT64", shape: [1, 3], data: [1, 1, 1] });
const pixels = (name: string, shape: number[]) => {
  const length = shape.reduce((product, size) => product * size, 1);
  return { name, datatype: "FP32", shape, data: Array.from({ length }, () => 0.5) };
};

test.each([
  ["mask-bert", ["input_ids", "attention_mask", "token_type_ids"].map(ids)],
  ["yolo8", [pixels("images", [1, 3, 64, 96])]],
  ["upernet", [pixels("pixel_values", [1, 3, 64, 64])]],
  ["crnn", [pixels("image", [1, 1, 32, 64])]],
  ["clip", [...["input_ids", "attention_mask"].map(ids), pixels("pixel_values", [2, 3, 24, 24])]],
])("%s takes a client's own tensors where answers are counted", async (name, inputs) => {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const app = createApp(createService(platform));
  const answer = await app.request(`/v2/models/${name}/infer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
  expect(await answer.json()).toMatchObject({ model_name: name, outputs: [{ datatype: "FP32" }] });
});
