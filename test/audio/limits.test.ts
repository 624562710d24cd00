import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { costOf } from "../../functions/limits/cost.ts";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { compile } from "../../functions/tasks/audio-classification/compile.ts";
import { nearcast } from "../cli/nearcast.ts";
import { fixtures, recorded } from "./recorded.ts";
import { recordingOf, wavOf } from "./recordings.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
afterAll(() => rm(models, { recursive: true }));
const commands = [
  ["ast", "ast-audio", []],
  ["wave", "wav2vec2-audio", []],
] as const;
for (const [name, folder] of commands) {
  const command = ["add", join(fixtures, folder), "--name", name, "--models", models];
  expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}

const recording = (seconds: number) =>
  wavOf(new Uint8Array(seconds * 8000).fill(100), { rate: 8000, bits: 8 });
const samples = (count: number) => wavOf(new Uint8Array(count * 2).fill(9));

interface Answer {
  detail?: string;
  error?: string;
  outputs?: { scores?: Record<string, number>; data?: number[] };
  predictions?: number[][];
}

function serve(env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE: models, ...env });
  const logs: Record<string, unknown>[] = [];
  platform.log = (entry) => void logs.push(entry);
  const app = createApp(createService(platform));
  const send = async (model: string, body: Uint8Array<ArrayBuffer> | string) => {
    const type = typeof body === "string" ? "application/json" : "audio/wav";
    const response = await app.request(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": type },
      body,
    });
    return { status: response.status, answer: (await response.json()) as Answer };
  };
  /** Asks in another dialect, or with more of a header. */
  const ask = async (path: string, body: BodyInit, headers: Record<string, string> = {}) => {
    const response = await app.request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
    });
    return { status: response.status, answer: (await response.json()) as Answer };
  };
  return { send, ask, logs };
}

test("a damaged file is never the server's failure", async () => {
  const { send } = serve();
  const whole = recordingOf({ ...recorded.recipes[1], length: 900 } as never);
  // The same every time.
  let state = 7;
  const random = (below: number) =>
    Math.floor(((state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32) * below);
  const statuses = new Set<number>();
  for (let round = 0; round < 150; round++) {
    const file = whole.slice(0, round % 3 === 0 ? random(whole.length) : undefined);
    for (let change = 0; change <= round % 4; change++)
      file[random(Math.min(64, file.length))] = random(256);
    const { status, answer } = await send("ast", file);
    statuses.add(status);
    const scores = Object.values(answer.outputs?.scores ?? {});
    if (status === 200) expect(scores.length > 0 && scores.every(Number.isFinite)).toBe(true);
  }
  expect(statuses).toEqual(new Set([200, 422]));
});

test("other chunks, of odd lengths too, are passed over", async () => {
  const { send } = serve();
  const whole = recordingOf(recorded.recipes[1] as never);
  const chunk = new Uint8Array([...Buffer.from("LIST"), 3, 0, 0, 0, 1, 2, 3, 0]);
  const file = new Uint8Array(Buffer.concat([whole.slice(0, 36), chunk, whole.slice(36)]));
  expect(await send("ast", file)).toEqual(await send("ast", whole));
});

test("the recordings of a request last as long as the deployment allows, and cost by their seconds", async () => {
  const { send, logs } = serve({ MAX_AUDIO_SECONDS: "20" });
  expect((await send("ast", recording(15))).status).toBe(200);
  expect(logs.at(-1)).toMatchObject({ seconds: 15, cost: 2 });
  const base64 = Buffer.from(recording(15)).toString("base64");
  const { status, answer } = await send("ast", JSON.stringify({ inputs: [base64, base64] }));
  expect(status).toBe(422);
  expect(answer.detail).toContain(
    "inputs[1] lasts 15 seconds, and those before it 15; the recordings",
  );
  expect(answer.detail).toContain("may last 20 together (MAX_AUDIO_SECONDS");
  expect(costOf({ rows: 1, seconds: 61 })).toBe(7);
});

test("a model of waveforms has a longest and a shortest recording", async () => {
  const { send } = serve();
  const { audio } = JSON.parse(await readFile(join(models, "wave/1/model.json"), "utf8")) as {
    audio: object;
  };
  expect(audio).toEqual({
    sampleRate: 16_000,
    waveform: { normalize: true, minSamples: 400, maxSeconds: 30 },
  });
  expect((await send("wave", samples(400))).status).toBe(200);
  expect((await send("wave", samples(399))).answer.detail).toContain("the model needs 0.025");
  expect((await send("wave", samples(31 * 16_000))).answer.detail).toContain(
    "lasts 31 seconds; the model takes 30",
  );
});

test("a model of waveforms is asked through other dialects for as long as its longest recording", async () => {
  const { send, ask, logs } = serve();
  const file = samples(2 * 16_000);
  const { outputs } = (await send("wave", file)).answer;
  const wanted = Object.values(outputs?.scores ?? {}).toSorted((a, b) => a - b);
  const b64 = Buffer.from(file).toString("base64");
  const instances = [{ b64 }, { b64 }];
  const rows = await ask("/v1/models/wave:predict", JSON.stringify({ instances }));
  expect(rows.status).toBe(200);
  expect(logs.at(-1)).toMatchObject({ seconds: 4 });
  expect(rows.answer.predictions).toHaveLength(2);
  const [first = []] = rows.answer.predictions ?? [];
  const sum = first.reduce((all, value) => all + Math.exp(value), 0);
  for (const [at, value] of first.toSorted((a, b) => a - b).entries())
    expect(Math.exp(value) / sum).toBeCloseTo(wanted[at] ?? NaN, 4);

  const infer = (shape: number[]) => {
    const data = Array.from({ length: (shape[0] ?? 0) * (shape[1] ?? 0) }, () => 0);
    const input = { name: "input_values", datatype: "FP32", shape, data };
    return ask("/v2/models/wave/infer", JSON.stringify({ inputs: [input] }));
  };
  expect((await infer([1, 40_000])).status).toBe(200);
  expect((await infer([2, 20_000])).status).toBe(200);
  const long = await infer([2, 240_001]);
  expect(long.status).toBe(422);
  expect(JSON.stringify(long.answer)).toContain("has 480002 samples; a tensor may have 480000");
});

test("seconds are charged in TensorFlow's dialect", async () => {
  const { ask, logs } = serve();
  const b64 = Buffer.from(recording(35)).toString("base64");
  const { status } = await ask("/v1/models/ast:predict", JSON.stringify({ instances: [{ b64 }] }));
  expect(status).toBe(200);
  expect(logs.at(-1)).toMatchObject({ seconds: 35, cost: 4 });
});

test("a short recording counts as what a model of fixed features looks at", async () => {
  const { send, logs } = serve({ MAX_AUDIO_SECONDS: "20" });
  const base64 = Buffer.from(samples(800)).toString("base64");
  const many = (count: number) =>
    JSON.stringify({ inputs: Array.from({ length: count }, () => base64) });
  expect((await send("ast", many(15))).status).toBe(200);
  // 128 frames.
  expect(logs.at(-1)).toMatchObject({ seconds: expect.closeTo(15 * 1.28, 9) as number, cost: 15 });
  const { status, answer } = await send("ast", many(16));
  expect(status).toBe(422);
  expect(answer.detail).toContain(
    "inputs[15] lasts 0.05 seconds and counts as the 1.28 that the model looks at, and those before it 19.2; the recordings",
  );
  expect((await send("wave", many(400))).status).toBe(200);
  expect(logs.at(-1)).toMatchObject({ seconds: expect.closeTo(20, 9) as number });
});

test("seconds are paid for with the bytes that came", async () => {
  const { ask } = serve();
  const inputs = Array.from({ length: 2 }, () => Buffer.from(recording(16)).toString("base64"));
  const body = JSON.stringify({ inputs });
  const path = "/v1/models/ast/predict";
  const refused = await ask(path, gzipSync(body), { "Content-Encoding": "gzip" });
  expect(refused.status).toBe(422);
  expect(refused.answer.detail).toContain("inputs[1] brings the request to 32 seconds in");
  expect((await ask(path, body)).status).toBe(200);
});

test("a recording that is refused for its length counts for nothing", async () => {
  const { send } = serve({ MAX_AUDIO_SECONDS: "20" });
  const inputs = [31, 1].map((seconds) => Buffer.from(recording(seconds)).toString("base64"));
  const { answer } = await send("wave", JSON.stringify({ inputs }));
  expect(answer.detail).toContain("inputs[0] lasts 31 seconds");
  expect(answer.detail).not.toContain("inputs[1]");
});

test("a model whose numbers overflow answers with no scores of null", async () => {
  const manifest = { name: "odd", labels: ["a", "b"] };
  const version = {
    manifest: {
      ...manifest,
      task: "audio-classification",
      audio: { sampleRate: 16_000, waveform: { normalize: false, minSamples: 1, maxSeconds: 1 } },
      inputs: [{ name: "x", datatype: "FP32", shape: [-1, -1] }],
      outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 2] }],
      scores: { output: "logits", activation: "softmax" },
    },
    limits: { audioSeconds: 1 },
  } as unknown as Parameters<typeof compile>[0];
  const task = compile(version);
  const run = { feeds: {}, rows: 1 };
  const answer = (...data: number[]) => {
    const logits = { datatype: "FP32" as const, shape: [1, 2], data: Float32Array.from(data) };
    return task.postprocess({ logits }, run, {});
  };
  expect(answer(1, 0)).toMatchObject([{ label: "a" }]);
  for (const data of [
    [NaN, 0],
    [Infinity, 0],
  ])
    expect(() => answer(...data)).toThrow("The model odd answers with no numbers");
});
