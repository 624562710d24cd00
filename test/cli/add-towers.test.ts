import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { draftFromHuggingFace, type ExportOptions } from "../../cli/add/from-hugging-face.ts";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import type { ScoredLabel } from "../../functions/tasks/zero-shot-classification/answers.ts";
import { openService } from "../tasks/service.ts";
import { addedModels, cases, pictures } from "../tasks/zero-shot-images.ts";
import { nearcast, removeLines, temporaryFolder } from "./nearcast.ts";

afterAll(removeLines);

const exportOf = (name: string) => join(import.meta.dirname, "../fixtures/zero-shot-images", name);
const draft = (name: string, options: ExportOptions = {}) =>
  draftFromHuggingFace(exportOf(name), options);
const TEXT = "onnx/text_model.onnx";
const VISION = "onnx/vision_model.onnx";

test("a graph with both towers is CLIP's, with a softmax, or SigLIP's, with texts of one length", async () => {
  const clip = (await draft("clip")).manifest;
  expect(clip).toMatchObject({
    task: "zero-shot-image-classification",
    batchDimension: null,
    zeroShot: { output: "logits_per_image", activation: "softmax" },
    text: { maxLength: 40 },
  });
  expect(clip.inputs.map(({ shape }) => shape)).toContainEqual([-1, -1]);
  const siglip = (await draft("siglip")).manifest;
  expect(siglip).toMatchObject({ zeroShot: { activation: "sigmoid" }, text: { maxLength: 64 } });
  expect(siglip.inputs).toContainEqual({
    name: "input_ids",
    datatype: "INT64",
    shape: [-1, 64],
    maxShape: [128, 64],
  });
});

test.each([
  ["clip", TEXT, "feature-extraction", "text_embeds"],
  ["clip", VISION, "image-feature-extraction", "image_embeds"],
  ["siglip", TEXT, "feature-extraction", "pooler_output"],
  ["siglip", VISION, "image-feature-extraction", "pooler_output"],
])("%s %s is %s, with %s", async (name, file, task, output) => {
  const { manifest, notes } = await draft(name, { file });
  expect(manifest).toMatchObject({ task, outputs: [{ name: output }] });
  expect(notes?.join()).toContain("compare them by cosine");
});

test.each([
  [VISION, { vector: { output: "last_hidden_state", pooling: "cls" } }],
  [TEXT, { outputs: [{ name: "last_hidden_state" }], text: { pooling: "cls" } }],
])("another output of %s is taken where the user says so", async (file, expected) => {
  const { manifest, notes } = await draft("clip", { file, pooling: "cls" });
  expect(manifest).toMatchObject(expected);
  expect(notes).toEqual([]);
});

test.each<[ExportOptions, string]>([
  [{ labels: ["a", "b"] }, "--labels are in each request"],
  [{ task: "image-classification" }, "is a model for zero-shot-image-classification"],
  [{ pooling: "mean" }, "--pooling goes with a model for vectors"],
])("CLIP with %j is refused", async (options, reason) => {
  await expect(draft("clip", options)).rejects.toThrow(reason);
});

test("a tower without its projection is refused", async () => {
  const folder = await temporaryFolder();
  await cp(exportOf("clip"), folder, { recursive: true });
  for (const [file, name] of [
    [TEXT, "text_embeds"],
    [VISION, "image_embeds"],
  ] as const) {
    const model = readOnnx(await readFile(join(folder, file)));
    const { graph } = model;
    if (graph) graph.output = graph.output.filter((one) => one.name !== name);
    await writeFile(join(folder, file), writeOnnx(model));
    await expect(draftFromHuggingFace(folder, { file })).rejects.toThrow(`has no output ${name}`);
  }
});

test("vectors have length 1 where the manifest says so, and eval counts the right labels", async () => {
  const models = await addedModels();
  for (const [name, field] of [
    ["clip-text", "text"],
    ["clip-vision", "vector"],
  ] as const) {
    const path = join(models, name, "1/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, object>;
    manifest[field] = { ...manifest[field], normalize: true };
    await writeFile(path, JSON.stringify(manifest));
  }
  const { predict } = openService(models, "native");
  for (const [model, input] of [
    ["clip-text", "a cat"],
    ["clip-vision", pictures[0]],
  ])
    expect(Math.hypot(...((await predict(model!, input)).outputs as number[]))).toBeCloseTo(1, 5);

  const [{ rows }] = cases as [(typeof cases)[number]];
  const some = rows
    .slice(0, 12)
    .map(({ labels }, at) => ({ image: pictures[at], candidate_labels: labels }));
  const answers = (await predict("clip", some)).outputs as ScoredLabel[][];
  // Every third label is wrong.
  const lines = some.map((input, at) => {
    const label = answers[at]?.[at % 3 === 0 ? answers[at].length - 1 : 0]?.label;
    return JSON.stringify({ input, label });
  });
  const isRight = (at: number) => at % 3 !== 0 || answers[at]?.length === 1;
  const right = [...some.keys()].filter(isRight).length;
  const data = join(models, "data.jsonl");
  await writeFile(data, lines.join("\n"));
  const { code, stdout } = await nearcast(["eval", "clip", "--data", data, "--models", models]);
  expect(code).toBe(0);
  expect(stdout).toContain(`accuracy         ${(right / some.length).toFixed(4)}`);
});
