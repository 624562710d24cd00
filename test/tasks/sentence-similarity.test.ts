import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sentenceSimilarity } from "../../functions/tasks/sentence-similarity/task.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { openService, type RuntimeName } from "./service.ts";

const SIMILAR = "similar-bert";
const RUNTIMES: RuntimeName[] = ["native", "wasm"];
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
await addExport(models, SIMILAR, "sentence-similarity");

describe.each(inThisFile(RUNTIMES))("on %s", (runtime) => {
  test("200 sentences are as alike to others as SentenceTransformer says", async () => {
    const { predict } = openService(models, runtime);
    await expectAllRecorded(SIMILAR, predict);
  });
});

const { predict } = openService(models, "native");
const fine = { source_sentence: "a phone", sentences: ["a phone", "bread"] };

test("one input has one list, and a batch a list for each", async () => {
  const one = await predict(SIMILAR, fine);
  expect(one.outputs).toEqual([expect.closeTo(1, 5), expect.any(Number)]);
  const { outputs } = await predict(SIMILAR, [fine, { ...fine, sentences: ["bread"] }]);
  expect((outputs as number[][]).map(({ length }) => length)).toEqual([2, 1]);
});

test.each([
  ["a", "inputs", "must be an object of source_sentence and sentences"],
  [{ ...fine, query: 1 }, "inputs.query", "is neither source_sentence nor sentences"],
  [{ sentences: ["a"] }, "inputs.source_sentence", "must be a string"],
  [{ ...fine, sentences: [] }, "inputs.sentences", "must be an array of at least one string"],
  [[fine, { ...fine, sentences: ["a", 5] }], "inputs[1].sentences[1]", "must be a string"],
  [{ ...fine, sentences: Array(2000).fill("a") }, "inputs.sentences", "must have at most"],
  [Array.from({ length: 600 }, () => fine), "inputs", "sentences in all"],
])("refuses %.80j", async (inputs, path, message) => {
  const { status, errors } = await predict(SIMILAR, inputs);
  expect([status, errors[0]?.path]).toEqual([422, path]);
  expect(errors[0]?.message).toContain(message);
});

test("the order of the scores is judged", async () => {
  const quality = await sentenceSimilarity.quality?.({} as never, { k: 10 });
  expect(quality?.problemWith?.([0.5, 1])).toBeUndefined();
  expect(quality?.problemWith?.("high")).toContain("number for each sentence");
  expect(quality?.metrics([[1, 2, 2], 3], [[0.1, 0.2, 0.2], [0.9]])).toMatchObject({ spearman: 1 });
  const { spearman, pearson } = quality?.metrics([[1, 2, 3, 4]], [[0.1, 0.3, 0.2, 0.9]]) ?? {};
  // scipy.stats.spearmanr and pearsonr.
  expect([spearman, pearson]).toEqual([expect.closeTo(0.8, 6), expect.closeTo(0.8261844, 6)]);
  expect(() => quality?.metrics([[1, 2]], [[0.1]])).toThrow("label number 1 has 2 numbers for 1");
});
