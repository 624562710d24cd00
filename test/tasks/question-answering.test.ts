import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { questionAnswering } from "../../functions/tasks/question-answering/task.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { openService, type RuntimeName } from "./service.ts";

const QA = "qa-bert";
const VARIANTS: [string, RuntimeName][] = [
  ["qa-bert", "native"],
  ["qa-roberta", "native"],
  ["qa-bert", "wasm"],
  ["qa-roberta", "wasm"],
];
const variants = inThisFile(VARIANTS);
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of new Set([QA, ...variants.map(([name]) => name)])) await addExport(models, name);

describe.each(variants)("%s on %s", (name, runtime) => {
  test("answers 200 questions as transformers' pipeline does, offsets included", async () => {
    const { predict } = openService(models, runtime);
    const answers = await expectAllRecorded(name, predict);
    for (const answer of answers.slice(0, 6)) expectSchema("question-answering", answer);
  });
});

const service = openService(models, "native");
const { predict } = service;
const fine = { question: "who", context: "great phone" };

interface Answer {
  answer: string;
  start: number;
  end: number;
}

test("start and end are Unicode characters of the context as it was sent", async () => {
  const context = "👍🏽 𠀀 İstanbul 👍 ".repeat(40);
  const { outputs } = await predict(QA, { ...fine, context }, { top_k: 20 });
  const answers = outputs as Answer[];
  expect(answers.length).toBeGreaterThan(5);
  for (const { answer, start, end } of answers)
    expect(Array.from(context).slice(start, end).join("")).toBe(answer);
});

test("a context of white space has no answer, unless there may be none", async () => {
  expect((await predict(QA, { ...fine, context: " \n" })).outputs).toEqual([]);
  const { outputs } = await predict(
    QA,
    { ...fine, context: " \n" },
    { handle_impossible_answer: true },
  );
  expect(outputs).toMatchObject([{ answer: "", start: 0, end: 0 }]);
});

test("each part of a long context is charged as a row, and a batch has an answer for each", async () => {
  const long = { ...fine, context: "great phone ".repeat(60) };
  const { outputs } = await predict(QA, [fine, long, fine]);
  expect((outputs as unknown[][]).map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(Number(service.logs.at(-1)?.["rows"])).toBeGreaterThan(6);
});

test("long contexts in parts are bounded before they are made", async () => {
  const few = openService(models, "native", { MAX_BATCH: "100" });
  const long = { ...fine, context: "a ".repeat(40_000) };
  const { status, errors } = await few.predict(QA, long, { max_seq_len: 16, doc_stride: 3 });
  expect(status).toBe(422);
  expect(errors).toMatchObject([{ path: "inputs.context" }]);
  expect(errors[0]?.message).toContain("makes more than 100 parts of 16 tokens");
});

test.each([
  ["text", {}, "inputs", "must be an object of question and context"],
  [[fine, {}], {}, "inputs[1].question", "must be a string"],
  [{ ...fine, question: "" }, {}, "inputs.question", "must not be empty"],
  [{ ...fine, context: "" }, {}, "inputs.context", "must not be empty"],
  [{ ...fine, context: ["a"] }, {}, "inputs.context", "must be a string"],
  [{ ...fine, text: "a" }, {}, "inputs.text", "is neither question nor context"],
  [fine, { top_k: 101 }, "parameters.top_k", ""],
  [fine, { max_seq_len: 49 }, "parameters.max_seq_len", "must be at most 48"],
  [fine, { max_seq_len: 32, doc_stride: 17 }, "parameters.doc_stride", "must be at most 16"],
  [
    { question: "a ".repeat(60), context: "great" },
    {},
    "inputs.question",
    "must be shorter: 60 tokens leave no room for the other text",
  ],
])("refuses %.80j with %j", async (inputs, parameters, path, message) => {
  const { status, errors } = await predict(QA, inputs, parameters);
  expect(status).toBe(422);
  expect(errors[0]?.path).toBe(path);
  expect(errors[0]?.message).toContain(message);
});

test("answers are judged by their words, as SQuAD judges them", async () => {
  const quality = await questionAnswering.quality?.({} as never, { k: 1 });
  expect(quality?.problemWith?.("in 1815")).toBeUndefined();
  expect(quality?.problemWith?.([])).toContain("right answer");
  expect(quality?.problemWith?.(5)).toContain("right answer");
  const answers = [[{ answer: "The year, 1815!" }], [{ answer: "London town" }], []];
  const metrics = quality?.metrics(["year 1815", ["Paris", "london"], ""], answers);
  expect(metrics?.["exact_match"]).toBeCloseTo(2 / 3);
  expect(metrics?.["f1"]).toBeCloseTo((1 + 2 / 3 + 1) / 3);
});
