import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { openPackage } from "../../cli/package-folder.ts";
import type { ManifestOf } from "../../functions/model/manifest.ts";
import type { Parts, Run } from "../../functions/tasks/define.ts";
import { featureExtraction } from "../../functions/tasks/feature-extraction/task.ts";
import type { textOptions } from "../../functions/tasks/text/options.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport, exportFolder } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { openService, type RuntimeName } from "./service.ts";

const SPLADE = "splade-bert";
const VARIANTS: [string, RuntimeName][] = [
  [SPLADE, "native"],
  ["splade-roberta", "native"],
  [SPLADE, "wasm"],
  ["splade-roberta", "wasm"],
];
const variants = inThisFile(VARIANTS);
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of new Set([SPLADE, ...variants.map(([name]) => name)]))
  await addExport(models, name);

type TextManifest = ManifestOf<typeof textOptions>;
type Sparse = { index: number; value: number }[];

describe.each(variants)("%s on %s", (name, runtime) => {
  test("gives 200 texts the vectors that SparseEncoder gives them", async () => {
    const { predict } = openService(models, runtime);
    await expectAllRecorded(name, predict);
  });
});

const { predict } = openService(models, "native");

test("the shape of an answer is that of the inputs, and padding changes nothing", async () => {
  const texts = ["great phone", "a very long terrible movie about a house and an actor", "x"];
  const { outputs } = await predict(SPLADE, texts);
  expect(outputs).toHaveLength(texts.length);
  for (const [index, text] of texts.entries()) {
    const one = (await predict(SPLADE, text)).outputs as Sparse;
    const both = (outputs as Sparse[])[index];
    expect(both?.map(({ index: at }) => at)).toEqual(one.map(({ index: at }) => at));
  }
});

test.each([
  [5, {}, "inputs"],
  [["a", { text: 1 }], {}, "inputs[1].text"],
  ["a", { prompt_name: "query2" }, "parameters.prompt_name"],
  ["a", { top_k: 2 }, "parameters"],
])("refuses %j with %j", async (inputs, parameters, path) => {
  const { status, errors } = await predict(SPLADE, inputs, parameters);
  expect([status, errors[0]?.path]).toEqual([422, path]);
});

test("vectors are refused where they make too long an answer", async () => {
  const few = openService(models, "native", { MAX_ANSWER_BYTES: "3000" });
  expect((await few.predict(SPLADE, "great phone")).status).toBe(200);
  const { status, code } = await few.predict(SPLADE, Array(20).fill("great phone"));
  expect([status, code]).toEqual([507, "answer_too_large"]);
});

test("a run has fewer tokens where each has a number for all of a large vocabulary", async () => {
  const local = await openPackage(models, { name: SPLADE });
  const { outputs, text } = local.manifest as never as TextManifest;
  const sized = (size: number) => ({
    ...local.manifest,
    outputs: [{ ...outputs[0], shape: [-1, -1, size] }],
    text,
  });
  const read = async (file: string) => [file, await readFile(join(local.folder, file))] as const;
  const files = await Promise.all(["tokenizer.json", "tokenizer_config.json"].map(read));
  const runsOf = async (size: number) => {
    const manifest = sized(size) as never;
    const version = { manifest, limits: { textLength: 1000 }, assets: new Map(files) };
    const compiled = await featureExtraction.compile(version as never);
    const made = compiled.preprocess(["great phone", "great phone"], {
      pathOf: String,
      parameters: {},
    }) as Parts<Run[]>;
    for (;;) {
      const part = made.next();
      if (part.done) return part.value.length;
    }
  };
  expect(await runsOf(320)).toBe(1);
  expect(await runsOf(4_000_000)).toBe(2);
  await expect(runsOf(-1)).rejects.toThrow("needs the vocabulary's size");
});

test("add tells sparse encoders from models that fill masks", async () => {
  const splade = { task: "feature-extraction", text: { pooling: "splade" } };
  expect((await add(SPLADE, {})).manifest).toMatchObject(splade);
  // SparseEncoder takes a masked language model without modules as SPLADE.
  const whole = { "config_sentence_transformers.json": { model_type: "SparseEncoder" } };
  expect((await add("mask-bert", whole)).manifest).toMatchObject(splade);
  expect((await add("mask-bert", {})).manifest.task).toBe("fill-mask");
  for (const [change, message] of [
    [{ "1_SpladePooling/config.json": { pooling_strategy: "sum" } }, '"pooling_strategy": "sum"'],
    [
      { "1_SpladePooling/config.json": { activation_function: "log1p_relu" } },
      '"activation_function": "log1p_relu"',
    ],
    [
      { "modules.json": [{ type: "sentence_transformers.models.SparseAutoEncoder" }] },
      "SparseAutoEncoder",
    ],
  ] as const)
    await expect(add(SPLADE, change)).rejects.toThrow(message);
});

async function add(name: string, change: object) {
  const { folder, remove } = await exportFolder(name, change as never);
  return draftFromHuggingFace(folder, {}).finally(remove);
}
