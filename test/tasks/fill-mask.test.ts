import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { fillMask } from "../../functions/tasks/fill-mask/task.ts";
import { tokenBatcher } from "../../functions/tasks/text/batch.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport, exportFolder } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { openService, type RuntimeName } from "./service.ts";

const MASKED = "mask-bert";
const VARIANTS: [string, RuntimeName][] = [
  ["mask-bert", "native"],
  ["mask-roberta", "native"],
  ["mask-bert", "wasm"],
  ["mask-roberta", "wasm"],
];
const variants = inThisFile(VARIANTS);
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of new Set([MASKED, ...variants.map(([name]) => name)]))
  await addExport(models, name);

describe.each(variants)("%s on %s", (name, runtime) => {
  test("fills the masks of 200 texts as transformers' pipeline does", async () => {
    const { predict } = openService(models, runtime);
    const answers = await expectAllRecorded(name, predict);
    const single = answers.find((answer) => !Array.isArray((answer as unknown[])[0]));
    expectSchema("fill-mask", single);
  });
});

const { predict } = openService(models, "native");

test("several masks have an array each, and a batch an answer for each text", async () => {
  const texts = ["great [MASK]", "[MASK] and [MASK] and [MASK]", "[MASK] phone"];
  const { outputs } = await predict(MASKED, texts, { top_k: 2 });
  const answers = outputs as unknown[][];
  expect(answers.map(({ length }) => length)).toEqual([2, 3, 2]);
  expect((answers[1] as unknown[][]).map(({ length }) => length)).toEqual([2, 2, 2]);
});

test.each([
  [5, {}, "inputs", "must be a string"],
  [["a [MASK]", "none"], {}, "inputs[1]", "must have [MASK] among its first 48 tokens"],
  ["a ".repeat(60) + "[MASK]", {}, "inputs", "must have [MASK] among its first 48 tokens"],
  ["a [MASK]", { top_k: 0 }, "parameters.top_k", ""],
  ["a [MASK]", { targets: [] }, "parameters.targets", ""],
  ["a [MASK]", { targets: ["", " "] }, "parameters.targets", "has no text with a token"],
  ["a [MASK]", { targets: [5] }, "parameters.targets.0", ""],
])("refuses %.80j with %j", async (inputs, parameters, path, message) => {
  const { status, errors } = await predict(MASKED, inputs, parameters);
  expect(status).toBe(422);
  expect(errors[0]?.path).toBe(path);
  expect(errors[0]?.message).toContain(message);
});

test("a batch of one mask a text is answered, and no more masks or tokens in all", async () => {
  const texts = Array<string>(251).fill("[MASK] [MASK] [MASK] [MASK]");
  expect((await predict(MASKED, texts.slice(1))).status).toBe(200);
  const { status, errors } = await predict(MASKED, texts, { top_k: 1 });
  const many = { path: "inputs", message: "must have at most 1000 masks, has 1004" };
  expect([status, errors]).toEqual([422, [many]]);
  const long = { path: "parameters.top_k", message: "must be at most 5 for 1000 masks" };
  expect((await predict(MASKED, texts.slice(1), { top_k: 6 })).errors).toEqual([long]);
  // Of two targets there are never more than two.
  const targets = ["good", "bad"];
  expect((await predict(MASKED, texts.slice(1), { top_k: 6, targets })).status).toBe(200);
});

test("an answer that would be too large is refused before the model runs", async () => {
  const few = openService(models, "native", { MAX_ANSWER_BYTES: "20000" });
  const { status, code } = await few.predict(MASKED, "[MASK] ".repeat(40), { top_k: 100 });
  expect([status, code]).toEqual([507, "answer_too_large"]);
});

test("a run has fewer rows where each token has a number for all of the vocabulary", () => {
  const input = { datatype: "INT64", shape: [-1, -1] } as const;
  const inputs = [
    { ...input, name: "input_ids" },
    { ...input, name: "attention_mask" },
  ];
  const manifest = { task: "fill-mask", inputs, text: { tokenizer: "t", maxLength: 512 } };
  const padding = { input_ids: 0, attention_mask: 0, token_type_ids: 0, left: false };
  const ids = Array.from({ length: 100 }, () => 1);
  const encoding = { input_ids: ids, attention_mask: ids, token_type_ids: ids };
  const rows = Array.from({ length: 6 }, () => encoding);
  const runs = (tokensPerRun?: number) =>
    tokenBatcher(manifest as never, padding, tokensPerRun)(rows).map((run) => run.rows);
  expect(runs(250)).toEqual([2, 2, 2]);
  expect(runs(50)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(runs()).toEqual([6]);
});

test("add takes a masked language model for its masks only where it has no vectors", async () => {
  const { folder, remove } = await exportFolder(MASKED);
  const { manifest } = await draftFromHuggingFace(folder, {});
  expect(manifest).toMatchObject({
    task: "fill-mask",
    fill: { output: "logits", mask: "[MASK]" },
  });
  await expect(draftFromHuggingFace(folder, { labels: ["a"] })).rejects.toThrow(/--labels go with/);
  await remove();
  const other = await exportFolder("all-distilroberta");
  expect((await draftFromHuggingFace(other.folder, {})).manifest.task).toBe("feature-extraction");
  await other.remove();
});

test("the right tokens are judged", async () => {
  const quality = await fillMask.quality?.({} as never, { k: 2 });
  expect(quality?.problemWith?.("phone")).toBeUndefined();
  expect(quality?.problemWith?.("")).toContain("right token");
  const answer = [{ token_str: " phone" }, { token_str: "house" }];
  expect(quality?.metrics(["phone", "house"], [answer, answer])).toEqual({
    accuracy: 0.5,
    mrr_at_2: 0.75,
  });
});
