import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { textRanking } from "../../functions/tasks/text-ranking/task.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { openService, type RuntimeName } from "./service.ts";

const RANK = "rank-bert";
const VARIANTS: [string, RuntimeName][] = [
  [RANK, "native"],
  [RANK, "wasm"],
];
const variants = inThisFile(VARIANTS);
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
await addExport(models, RANK, "text-ranking");

describe.each(variants)("%s on %s", (name, runtime) => {
  test("ranks the texts of 200 queries as CrossEncoder does", async () => {
    const { predict } = openService(models, runtime);
    await expectAllRecorded(name, predict);
  });
});

const service = openService(models, "native");
const { predict } = service;
const fine = { query: "great phone", texts: ["a phone", "", "great"] };

test("an answer can have the texts, and one input is no batch", async () => {
  const { outputs } = await predict(RANK, fine, { return_text: true, top_k: 2 });
  const ranked = outputs as { index: number; score: number; text: string }[];
  expect(ranked.map(({ text }) => text)).toEqual(ranked.map(({ index }) => fine.texts[index]));
  expect(ranked.length).toBe(2);
  expect(ranked[0]?.score).toBeGreaterThan(ranked[1]?.score ?? Infinity);
});

test("each text is charged as a row", async () => {
  await predict(RANK, [fine, fine]);
  expect(service.logs.at(-1)).toMatchObject({ rows: 6 });
});

test.each([
  ["text", {}, "inputs", "must be an object of query and texts"],
  [[fine, {}], {}, "inputs[1].query", "must be a string"],
  [{ ...fine, texts: [] }, {}, "inputs.texts", "must be an array of at least one string"],
  [{ ...fine, texts: ["a", 5] }, {}, "inputs.texts[1]", "must be a string"],
  [{ ...fine, top_n: 1 }, {}, "inputs.top_n", "is neither query nor texts"],
  [fine, { top_n: 1 }, "parameters", ""],
  [fine, { top_k: 0 }, "parameters.top_k", ""],
  [
    { query: "a", texts: Array.from({ length: 1001 }, () => "b") },
    {},
    "inputs.texts",
    "must have at most 1000 texts, has 1001",
  ],
  [
    [fine, { query: "a", texts: Array.from({ length: 998 }, () => "b") }],
    {},
    "inputs",
    "must have at most 1000 texts in all, have 1001",
  ],
  [
    { query: "a ".repeat(5000), texts: Array.from({ length: 1000 }, () => "b") },
    {},
    "inputs.query",
    "must have at most 6291 characters for 1000 texts, has 10000",
  ],
])("refuses %.80j with %j", async (inputs, parameters, path, message) => {
  const { status, errors } = await predict(RANK, inputs, parameters);
  expect(status).toBe(422);
  expect(errors[0]?.path).toBe(path);
  expect(errors[0]?.message).toContain(message);
});

test("right texts are judged by how high they stand", async () => {
  const quality = await textRanking.quality?.({} as never, { k: 2 });
  expect(quality?.problemWith?.(0)).toBeUndefined();
  expect(quality?.problemWith?.([])).toContain("index of a text");
  const ranked = [
    { index: 1, score: 2 },
    { index: 0, score: 1 },
  ];
  expect(quality?.metrics([1, [0]], [ranked, ranked])).toEqual({
    mrr_at_2: 0.75,
    ndcg_at_2: (1 + 1 / Math.log2(3)) / 2,
  });
});
