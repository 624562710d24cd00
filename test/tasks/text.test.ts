import { describe, expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { checkInputs } from "../../functions/tasks/check-tensors.ts";
import { textInputs } from "../../functions/tasks/text/inputs.ts";
import type { Run } from "../../functions/tasks/define.ts";
import { shippedModels } from "../harness/models.ts";
import { emptyStore, fixture, openService, RUNTIMES, writePackage } from "./service.ts";

interface Row {
  text: string;
  mean: number[];
  cls: number[];
  logits: number[];
}

const expected = JSON.parse(Buffer.from(await fixture("bert/expected.json")).toString()) as Row[];
const texts = expected.map(({ text }) => text);
const names = ["input_ids", "attention_mask", "token_type_ids"];
const store = await emptyStore();
const parts = {
  artifact: await fixture("bert/model.onnx"),
  externalData: { "model.onnx_data": await fixture("bert/model.onnx_data") },
  assets: { "tokenizer.json": await fixture("tokenizers/wordpiece.json") },
};
const shared = {
  inputs: names.map((name) => ({ name, datatype: "INT64", shape: [-1, -1] })),
  outputs: [
    { name: "last_hidden_state", datatype: "FP32", shape: [-1, -1, 16] },
    { name: "logits", datatype: "FP32", shape: [-1, 2] },
  ],
};
const text = { tokenizer: "tokenizer.json", maxLength: 16 };
const vectors = { ...shared, task: "feature-extraction" };
for (const pooling of ["mean", "cls", "none"])
  await writePackage(store, {
    ...parts,
    manifest: { ...vectors, name: pooling, text: { ...text, pooling } },
  });
await writePackage(store, {
  ...parts,
  manifest: { ...vectors, name: "unit", text: { ...text, normalize: true } },
});
await writePackage(store, {
  ...parts,
  manifest: {
    ...shared,
    name: "labels",
    task: "text-classification",
    text,
    labels: ["no", "yes"],
    scores: { output: "logits", activation: "softmax" },
  },
});
await writePackage(store, {
  artifact: await fixture("graphs/no-mask.onnx"),
  assets: parts.assets,
  manifest: {
    name: "no-mask",
    task: "feature-extraction",
    inputs: [{ name: "input_ids", datatype: "INT64", shape: [-1, -1] }],
    outputs: [{ name: "vectors", datatype: "FP32", shape: [-1, -1, 2] }],
    text,
  },
});

function close(made: unknown, wanted: number[]): void {
  const numbers = made as number[];
  expect(numbers.length).toBe(wanted.length);
  const differences = numbers.map((value, index) => Math.abs(value - (wanted[index] ?? NaN)));
  expect(Math.max(...differences)).toBeLessThan(1e-4);
}

describe.each(RUNTIMES)("a BERT-shaped model on %s", (runtime) => {
  const { predict } = openService(store, runtime);

  test.each(["mean", "cls"] as const)("gives Python's vectors, pooling %s", async (pooling) => {
    const batch = await predict(pooling, texts);
    for (const [row, { text, [pooling]: vector }] of expected.entries()) {
      close((batch.outputs as number[][])[row], vector);
      close((await predict(pooling, text)).outputs, vector);
    }
  });

  test("gives a vector for each token without pooling, and none for padding", async () => {
    const { outputs } = await predict("none", ["", texts[0]]);
    const [empty, first] = outputs as number[][][];
    expect(empty?.length).toBe(2);
    close(first?.[0], expected[0]?.cls ?? []);
    const mean = first?.[0]?.map(
      (_, index) => first.reduce((sum, vector) => sum + (vector[index] ?? 0), 0) / first.length,
    );
    close(mean, expected[0]?.mean ?? []);
  });

  test("gives vectors of length one when asked to", async () => {
    const { outputs } = await predict("unit", texts[0]);
    expect(Math.hypot(...(outputs as number[]))).toBeCloseTo(1, 5);
  });

  test("classifies texts and pairs", async () => {
    const { outputs } = await predict("labels", texts);
    for (const [row, { logits }] of expected.entries()) {
      const score = 1 / (1 + Math.exp((logits[0] ?? 0) - (logits[1] ?? 0)));
      const { scores } = (outputs as { scores: { yes: number } }[])[row] ?? { scores: { yes: 0 } };
      expect(scores.yes).toBeCloseTo(score, 4);
    }
    const pair = await predict("labels", [{ text: "Good", text_pair: "bad" }, { text: "Good" }]);
    const [paired, single] = pair.outputs as { score: number }[];
    expect(pair.status).toBe(200);
    expect(paired?.score).not.toBe(single?.score);
    const alone = (await predict("labels", "Good")).outputs as { score: number };
    expect(alone.score).toBeCloseTo(single?.score ?? NaN, 6);
  });

  test("a text has the same vector in any company where the graph takes no mask", async () => {
    const mixed = ["a", "a much longer text than that", "b", "", "c"];
    const { outputs } = await predict("no-mask", mixed);
    for (const [row, text] of mixed.entries())
      expect((outputs as unknown[])[row]).toEqual((await predict("no-mask", text)).outputs);
  });

  test.each([
    [5, "inputs", "must be a string, or an object of text and text_pair"],
    [null, "inputs", "must be a string, or an object of text and text_pair"],
    [["fine", 5], "inputs[1]", "must be a string, or an object of text and text_pair"],
    [[["nested"]], "inputs[0]", "must be a string, or an object of text and text_pair"],
    [{}, "inputs.text", "must be a string"],
    [{ text: "a", text_pair: null }, "inputs.text_pair", "must be a string"],
    [{ text: "a", pair: "b" }, "inputs.pair", "is neither text nor text_pair"],
    ["x".repeat(100_001), "inputs", "must have at most 100000 characters, has 100001"],
    [[], "inputs", "must not be empty"],
  ])("refuses %j", async (inputs, path, message) => {
    const { status, errors } = await predict("mean", inputs);
    expect(status).toBe(422);
    expect(errors[0]).toEqual({ path, message });
    expect((await predict("mean", "fine", { top_k: 1 })).errors[0]?.path).toBe("parameters");
    close((await predict("mean", texts[0])).outputs, expected[0]?.mean ?? []);
  });

  test("takes lone surrogates, NUL and special tokens as text", async () => {
    const { status } = await predict("mean", ["\ud800 lone", "nul \0", "[SEP][CLS][PAD]"]);
    expect(status).toBe(200);
  });
});

test("a long text among many short ones gets a run with few of them, in the order of the request", () => {
  const sentiment = shippedModels.find(({ manifest }) => manifest.name === "sentiment");
  const limits = {
    bodyBytes: 1e7,
    batch: 2000,
    textLength: 100_000,
    imagePixels: 1e6,
    audioSeconds: 60,
    elements: 1e6,
    positionPairs: 1e6,
    answerBytes: 1e7,
  };
  const task = textInputs(sentiment?.manifest as Manifest, limits, new Map());
  const short = Array.from({ length: 500 }, (_, index) => `text ${index}`);
  const rows = [...short, "a ".repeat(50_000), ...short];
  // The tensor of a client is one run. It cannot be split.
  const text = { datatype: "BYTES" as const, shape: [rows.length], data: rows };
  const model = { manifest: sentiment?.manifest as Manifest, limits };
  expect(() => checkInputs(model, { text })).toThrow(/fewer elements/);
  const made = task.preprocess(rows, {
    pathOf: (row) => `inputs[${row}]`,
    parameters: {},
  }) as Run[];
  const runs = made.map(({ feeds }) => Object.values(feeds)[0]?.data as string[]);
  expect(runs.flat()).toEqual(rows);
  expect(runs.length).toBeLessThan(5);
  for (const run of runs)
    expect(run.length * Math.max(...run.map((text) => text.length))).toBeLessThanOrEqual(4e6);
});
