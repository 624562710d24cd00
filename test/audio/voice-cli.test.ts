import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { voiceDraftOf } from "../../cli/add/from-voice.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { createService } from "../../functions/service.ts";
import { voiceQuality } from "../../functions/tasks/voice-activity-detection/quality.ts";
import { nearcast } from "../cli/nearcast.ts";
import { recordedVoices, voiceFiles, voiceFixtures, voiceModels } from "./voice.ts";

const { recipes, models: recorded, metrics } = recordedVoices;

const models = await voiceModels();
afterAll(() => rm(models, { recursive: true }));

const info = (name: string, ...shape: number[]): TensorInfo => ({ name, datatype: "FP32", shape });
const rate: TensorInfo = { name: "sr", datatype: "INT64", shape: [] };
const WINDOW = { sampleRate: 16_000, window: 512 };
const whole = {
  inputs: [info("input", -1, -1), info("state", 2, -1, 128), rate],
  outputs: [info("output", -1, 1), info("stateN", -1, -1, -1)],
};

/** As the files of silero-vad 6.2.3 say it, and those of version 4. */
const GRAPHS: [string, Pick<Graph, "inputs" | "outputs">, object | undefined][] = [
  ["silero_vad.onnx", whole, { voice: { ...WINDOW, context: 64 }, state: { state: "stateN" } }],
  [
    "version 4",
    {
      inputs: [info("input", -1, -1), rate, info("h", 2, -1, 64), info("c", 2, -1, 64)],
      outputs: [info("output", -1, 1), info("hn", 2, -1, 64), info("cn", 2, -1, 64)],
    },
    { voice: WINDOW, state: { h: "hn", c: "cn" } },
  ],
  [
    "silero_vad_16k_sequence.onnx",
    {
      inputs: [info("input", -1, 576), info("h", 1, 1, 128), info("c", 1, 1, 128)],
      outputs: [info("speech_probs", -1), info("hn", 1, -1, 128), info("cn", 1, -1, 128)],
    },
    {
      voice: { ...WINDOW, context: 64, windowsAtOnce: 512 },
      state: { h: "hn", c: "cn" },
    },
  ],
  [
    "a state of another size",
    { ...whole, inputs: [info("input", -1, -1), info("state", 2, -1, 100), rate] },
    undefined,
  ],
  ["another output", { ...whole, outputs: whole.outputs.slice(0, 1) }, undefined],
  ["another input", { ...whole, inputs: [...whole.inputs, info("x", 1)] }, undefined],
];

test.each(GRAPHS)("add knows Silero's graphs by names and sizes: %s", (_, graph, wanted) => {
  const draft = voiceDraftOf(graph as Graph);
  if (!wanted) return expect(draft).toBeUndefined();
  expect(draft?.manifest).toMatchObject({ ...wanted, batchDimension: null });
  for (const { name, shape } of draft?.manifest.outputs ?? []) {
    const [input] =
      Object.entries(draft?.manifest.state ?? {}).find(([, next]) => next === name) ?? [];
    const begins = graph.inputs.find((one) => one.name === input);
    if (begins) expect(shape).toEqual(begins.shape);
  }
});

test("a batch refuses a state, before its rows", async () => {
  const input = join(models, "rows.jsonl");
  await writeFile(input, `${JSON.stringify(Buffer.from(voiceFiles[0]!).toString("base64"))}\n`);
  const files = ["--input", input, "--output", join(models, "out.jsonl")];
  const state = ["--parameters", '{"state": "AAAA"}'];
  const batch = await nearcast(["batch", "gru", "--models", models, ...files, ...state]);
  expect(batch.code).toBe(1);
  expect(batch.stderr).toContain("parameters.state goes on with one input, and a batch");
});

test("each line of a batch begins a stream, which a prediction goes on with", async () => {
  const [input, output] = [join(models, "streams.jsonl"), join(models, "states.jsonl")];
  const recordings = voiceFiles.slice(0, 2).map((file) => Buffer.from(file).toString("base64"));
  await writeFile(input, recordings.map((one) => JSON.stringify(one)).join("\n"));
  const files = ["--input", input, "--output", output];
  const asked = ["--parameters", '{"return_state": true}'];
  const batch = await nearcast(["batch", "gru", "--models", models, ...files, ...asked]);
  expect(batch).toMatchObject({ code: 0 });
  const lines = (await readFile(output, "utf8")).trim().split("\n");
  const service = createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false" }));
  const ask = (index: number, parameters: object) =>
    service.predict({ model: "gru", version: "1", inputs: recordings[index], parameters });
  for (const [index, line] of lines.entries()) {
    const { outputs } = await ask(index, { return_state: true });
    expect(JSON.parse(line)).toEqual(outputs);
    const { state } = JSON.parse(line) as { state: string };
    expect((await ask(index, { state })).outputs).toHaveProperty("segments");
  }
  expect(lines).toHaveLength(2);
});

test("add asks how a graph hears that it does not know", async () => {
  const command = ["add", join(voiceFixtures, "gru.onnx"), "--name", "asked", "--models", models];
  const added = await nearcast([...command, "--task", "voice-activity-detection"]);
  expect(added.code).toBe(1);
  expect(added.stderr).toContain("is none of Silero's graphs. Say how it hears: --options");
});

/** Where sentences are, in seconds. */
function spokenIn({ parts }: (typeof recipes)[number]) {
  let at = 0;
  return parts.flatMap(([, length, gain]) => {
    const start = at / 16_000;
    at += length;
    return gain > 0 ? [{ start, end: at / 16_000 }] : [];
  });
}

test("the metrics are those of pyannote.metrics", () => {
  const some = recipes.slice(0, 20);
  const answers = recorded.silero.slice(0, 20).map(({ segments }) => ({
    segments: segments.map(([start, end]) => ({ start: start / 16_000, end: end / 16_000 })),
  }));
  const made = voiceQuality().metrics(some.map(spokenIn), answers);
  expect(Object.keys(made).toSorted()).toEqual(Object.keys(metrics).toSorted());
  for (const [name, value] of Object.entries(metrics)) expect(made[name]).toBeCloseTo(value, 9);
});

test("segments of the data that overlap count once", () => {
  const quality = voiceQuality();
  const truth = [
    { start: 2, end: 4 },
    { start: 1, end: 3 },
  ];
  const answer = { segments: [{ start: 1, end: 2.5 }] };
  expect(quality.metrics([truth], [answer])).toMatchObject({
    detection_error_rate: 0.5,
    precision: 1,
    recall: 0.5,
  });
});

test("eval judges a model, and says which label is no segments", async () => {
  const rows = [3, 4].map((at) => ({
    input: Buffer.from(voiceFiles[at]!).toString("base64"),
    label: spokenIn(recipes[at]!),
  }));
  expect(rows.flatMap(({ label }) => label).length).toBeGreaterThan(1);
  const data = join(models, "data.jsonl");
  const judge = async (lines: object[]) => {
    await writeFile(data, lines.map((line) => JSON.stringify(line)).join("\n"));
    return nearcast(["eval", "gru", "--models", models, "--data", data, "--json"]);
  };
  const judged = await judge(rows);
  expect(judged.stderr).toBe("");
  const { metrics: made } = JSON.parse(judged.stdout) as { metrics: Record<string, number> };
  expect(made["recall"]).toBeGreaterThan(0.5);
  const wrong = await judge([{ ...rows[0], label: [{ start: 2, end: 1 }] }]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("must be an array of objects with start and end in seconds");
});
