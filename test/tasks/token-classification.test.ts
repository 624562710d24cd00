import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tokenClassification } from "../../functions/tasks/token-classification/task.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { openService, type RuntimeName } from "./service.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
const NER = "ner-bert";
const VARIANTS: [string, RuntimeName][] = [
  ["ner-bert", "native"],
  ["ner-roberta", "native"],
  ["ner-bert", "wasm"],
  ["ner-roberta", "wasm"],
];

const variants = inThisFile(VARIANTS);
for (const name of new Set([NER, ...variants.map(([name]) => name)])) await addExport(models, name);

describe.each(variants)("%s on %s", (name, runtime) => {
  test("answers 200 texts as transformers' pipeline does, offsets included", async () => {
    const { predict } = openService(models, runtime);
    const answers = await expectAllRecorded(name, predict);
    expectSchema("token-classification", answers[1]);
  });
});

const { predict } = openService(models, "native");

test("start and end are Unicode characters of the text as it was sent", async () => {
  const text = "👍🏽 𠀀 İstanbul";
  const { outputs } = await predict(NER, text, { aggregation_strategy: "none", ignore_labels: [] });
  const entities = outputs as { start: number; end: number }[];
  const parts = entities.map(({ start, end }) => Array.from(text).slice(start, end).join(""));
  expect(parts.join("")).toBe("👍🏽𠀀İstanbul");
});

test("an empty text has no entities, and a batch has an answer for each text", async () => {
  expect((await predict(NER, "")).outputs).toEqual([]);
  const { outputs } = await predict(NER, ["", "New York ".repeat(60), ""], { stride: 8 });
  expect((outputs as unknown[][]).map((entities) => entities.length > 0)).toEqual([
    false,
    true,
    false,
  ]);
});

test.each([
  [5, {}, "inputs", "must be a string"],
  [["fine", null], {}, "inputs[1]", "must be a string"],
  [{ text: "a", text_pair: "b" }, {}, "inputs", "must be a string"],
  ["fine", { stride: 40 }, "parameters.stride", "must be at most 24"],
  ["fine", { stride: -1 }, "parameters.stride", ""],
  ["fine", { aggregation_strategy: "all" }, "parameters.aggregation_strategy", ""],
  ["fine", { top_k: 1 }, "parameters", ""],
  ["x".repeat(100_001), {}, "inputs", "must have at most 100000 characters, has 100001"],
])("refuses %j with %j", async (inputs, parameters, path, message) => {
  const { status, errors } = await predict(NER, inputs, parameters);
  expect(status).toBe(422);
  expect(errors[0]?.path).toBe(path);
  expect(errors[0]?.message).toContain(message);
});

test("long texts in parts are bounded, and charged by their parts", async () => {
  const text = "a ".repeat(20_000);
  const few = openService(models, "native", { MAX_BATCH: "100" });
  const { status, errors } = await few.predict(NER, text, { stride: 10 });
  expect(status).toBe(422);
  expect(errors[0]?.message).toContain("makes more than 100 parts of 48 tokens");
  await few.predict(NER, "a ".repeat(200), { stride: 10 });
  expect(few.logs.find(({ rows }) => Number(rows) > 1)).toMatchObject({ rows: 6 });
});

test("whole entities are judged", async () => {
  const manifest = { labels: ["O", "B-PER", "I-PER"] } as never;
  const quality = await tokenClassification.quality?.(manifest, { k: 1 });
  const truth = [{ entity_group: "PER", start: 0, end: 3 }];
  expect(quality?.problemWith?.(truth)).toBeUndefined();
  expect(quality?.problemWith?.([{ entity_group: "LOC", start: 0, end: 3 }])).toContain("LOC");
  expect(quality?.problemWith?.("PER")).toContain("array");
  const near = [{ entity_group: "PER", start: 0, end: 4 }];
  expect(quality?.metrics([truth, truth], [truth, near])).toEqual({
    f1: 0.5,
    precision: 0.5,
    recall: 0.5,
  });
});
