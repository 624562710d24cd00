import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { zeroShotClassification } from "../../functions/tasks/zero-shot-classification/task.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport, exportFolder } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { openService, type RuntimeName } from "./service.ts";

const NLI = "nli-bert";
const TASK = "zero-shot-classification";
const VARIANTS: [string, RuntimeName][] = [
  ["nli-bert", "native"],
  ["nli-roberta", "native"],
  ["nli-bert", "wasm"],
  ["nli-roberta", "wasm"],
];
const variants = inThisFile(VARIANTS);
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of new Set([NLI, ...variants.map(([name]) => name)]))
  await addExport(models, name, TASK);

describe.each(variants)("%s on %s", (name, runtime) => {
  test("scores the labels of 200 texts as transformers' pipeline does", async () => {
    const { predict } = openService(models, runtime);
    const answers = await expectAllRecorded(name, predict);
    for (const answer of answers.slice(0, 4)) expectSchema(TASK, answer);
  });
});

const service = openService(models, "native");
const { predict } = service;
const candidate_labels = ["good", "bad"];
const own = { text: "great phone", candidate_labels };

test("labels of the request are for all its texts", async () => {
  const { outputs } = await predict(NLI, ["great phone", "house"], { candidate_labels });
  const alone = await predict(NLI, [own, { ...own, text: "house" }]);
  expect(outputs).toEqual(alone.outputs);
});

test("each label of each text is charged as a row", async () => {
  await predict(NLI, [own, own, own]);
  expect(service.logs.at(-1)).toMatchObject({ rows: 6 });
});

test("a long text is cut, never the label", async () => {
  const text = "great phone ".repeat(200);
  const few = await predict(NLI, { text, candidate_labels: ["good", "battery"] });
  const [first, second] = few.outputs as { score: number }[];
  expect(first?.score).not.toBeCloseTo(second?.score ?? 0, 6);
});

test.each([
  [5, { candidate_labels }, "inputs", "must be a string"],
  ["text", {}, "parameters.candidate_labels", "is missing, and the input has none"],
  ["text", { candidate_labels: [] }, "parameters.candidate_labels", ""],
  ["text", { candidate_labels: ["a", 5] }, "parameters.candidate_labels.1", ""],
  ["text", { candidate_labels, hypothesis_template: "x" }, "parameters.hypothesis_template", "{}"],
  ["text", { candidate_labels, hypothesis_template: "{}{}" }, "parameters.hypothesis_template", ""],
  [[own, { ...own, text: 5 }], {}, "inputs[1].text", "must be a string"],
  [{ ...own, labels: [] }, {}, "inputs.labels", "is neither text nor candidate_labels"],
  [{ ...own, candidate_labels: ["a", null] }, {}, "inputs.candidate_labels[1]", "be a string"],
  [
    { ...own, candidate_labels: ["a", "b ".repeat(60)] },
    {},
    "inputs.candidate_labels[1]",
    "leave no room for the text",
  ],
  [
    Array.from({ length: 501 }, () => own),
    {},
    "inputs",
    "must have at most 1000 labels in all, have 1002",
  ],
])("refuses %.80j with %j", async (inputs, parameters, path, message) => {
  const { status, errors } = await predict(NLI, inputs, parameters);
  expect(status).toBe(422);
  expect(errors[0]?.path).toBe(path);
  expect(errors[0]?.message).toContain(message);
});

test("of many mistakes, the first hundred are looked for", async () => {
  const wrong = { text: "great phone", candidate_labels: Array<number>(1000).fill(0) };
  const { detail, errors } = await predict(
    NLI,
    Array.from({ length: 10 }, () => wrong),
  );
  expect(errors).toHaveLength(100);
  expect(detail).toContain("(and at least 99 more)");
});

test("many labels and a long template must be paid for by the bytes that came", async () => {
  const { status, errors } = await predict(NLI, "great phone", {
    candidate_labels: Array.from({ length: 1000 }, (_, index) => `label ${index}`),
    hypothesis_template: `{} ${"a".repeat(2000)}`,
  });
  expect(status).toBe(422);
  expect(errors[0]?.path).toMatch(/^parameters\.candidate_labels\[\d+\]$/);
  expect(errors[0]?.message).toContain("characters in");
});

const labelled = (label2id: Record<string, number>) => ({
  "config.json": { label2id, id2label: { 0: "a", 1: "entailment", 2: "c" } },
});

test("add finds entailment where transformers does, and says what else an NLI model can do", async () => {
  const first = await exportFolder(NLI, labelled({ Entails: 0, b: 1, c: 2 }));
  const { manifest } = await draftFromHuggingFace(first.folder, { task: TASK });
  expect(manifest).toMatchObject({
    task: TASK,
    zeroShot: { output: "logits", entailment: 0, contradiction: 2 },
  });
  expect(manifest.labels).toBeUndefined();
  const { notes } = await draftFromHuggingFace(first.folder, {});
  expect(notes?.join(" ")).toContain("--task zero-shot-classification");
  const other = await exportFolder("toxic-bert");
  await expect(draftFromHuggingFace(other.folder, { task: TASK })).rejects.toThrow(
    /one of whose labels begins with entail/,
  );
  await Promise.all([first.remove(), other.remove()]);
});

test("the best labels are judged", async () => {
  const quality = await zeroShotClassification.quality?.({} as never, { k: 1 });
  expect(quality?.problemWith?.("good")).toBeUndefined();
  expect(quality?.problemWith?.(5)).toContain("one of the labels");
  const answers = [[{ label: "good", score: 0.9 }], [{ label: "good", score: 0.6 }]];
  expect(quality?.metrics(["good", "bad"], answers)).toMatchObject({ accuracy: 0.5 });
});
