import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { quantized } from "../../functions/tasks/feature-extraction/forms.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport, exportFolder } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { openService, type RuntimeName } from "./service.ts";

const VECTORS = "vectors-bert";
const RUNTIMES: RuntimeName[] = ["native", "wasm"];
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of [VECTORS, "splade-bert", "all-minilm"]) await addExport(models, name);

describe.each(inThisFile(RUNTIMES))("on %s", (runtime) => {
  test("200 texts have the vectors of encode and quantize_embeddings, in every form", async () => {
    const { predict } = openService(models, runtime);
    await expectAllRecorded(VECTORS, predict);
  });
});

const { predict } = openService(models, "native");

test.each([
  [VECTORS, { dimensions: 9 }, "dimensions", "must be one of 8, 20 for this model"],
  [VECTORS, { dimensions: 33 }, "dimensions", "must be at most 32 for this model"],
  [VECTORS, { dimensions: 8, precision: "int8" }, "precision", "ranges are of whole vectors"],
  [VECTORS, { precision: "int4" }, "precision", ""],
  [VECTORS, { dimensions: 0 }, "dimensions", ""],
  ["all-minilm", { dimensions: 8 }, "dimensions", "text.matryoshka does not say"],
  ["all-minilm", { precision: "uint8" }, "precision", "has no text.ranges"],
  ["splade-bert", { precision: "binary" }, "precision", "more than a vector"],
  ["splade-bert", { dimensions: 8 }, "dimensions", "may be cut"],
])("%s refuses %j", async (model, parameters, name, message) => {
  const { status, errors } = await predict(model, "a phone", parameters);
  expect([status, errors[0]?.path]).toEqual([422, `parameters.${name}`]);
  expect(errors[0]?.message).toContain(message);
});

test("numbers outside the ranges stay at their ends, and bits fill up the last number", () => {
  const ranges: [number[], number[]] = [
    [-1, -1, 0],
    [1, 1, 0],
  ];
  expect(quantized([-9, 9, 0.5], "uint8", ranges)).toEqual([0, 255, 0]);
  expect(quantized([-9, 9, 0.5], "int8", ranges)).toEqual([-128, 127, -128]);
  expect(quantized([1, -1, 1], "ubinary", undefined)).toEqual([0b10100000]);
  expect(quantized([1, -1, 1], "binary", undefined)).toEqual([0b10100000 - 128]);
});

test("add asks how to pool where an export does not say it", async () => {
  const { folder, remove } = await exportFolder("all-minilm");
  const add = (options: object) => draftFromHuggingFace(folder, options);
  await expect(add({ pooling: "cls" })).rejects.toThrow(
    /--pooling cls is not what the export says/,
  );
  expect((await add({ pooling: "mean" })).manifest.text).toMatchObject({ pooling: "mean" });
  await rm(join(folder, "modules.json"));
  await rm(join(folder, "1_Pooling"), { recursive: true });
  await expect(add({})).rejects.toThrow(/say it with --pooling mean, cls/);
  expect((await add({ pooling: "cls" })).manifest.text).toMatchObject({ pooling: "cls" });
  await remove();
  const mask = await exportFolder("mask-bert");
  const { manifest } = await draftFromHuggingFace(mask.folder, { pooling: "splade" });
  expect(manifest).toMatchObject({ task: "feature-extraction", text: { pooling: "splade" } });
  await expect(draftFromHuggingFace(mask.folder, { pooling: "mean" })).rejects.toThrow(
    /only logits/,
  );
  await mask.remove();
  const ner = await exportFolder("ner-bert");
  await expect(draftFromHuggingFace(ner.folder, { pooling: "mean" })).rejects.toThrow(/goes with/);
  await ner.remove();
});
