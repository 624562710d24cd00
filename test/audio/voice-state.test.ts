import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { createTasks, type CompileParts } from "../../functions/tasks/tasks.ts";
import { nearcast } from "../cli/nearcast.ts";
import { wavOf } from "./recordings.ts";
import {
  GRU,
  recordedVoices,
  voiceModels,
  voiceSamples,
  wavOfVoice,
  type VoiceAnswer,
} from "./voice.ts";

const { recipes, models: recorded } = recordedVoices;

const models = await voiceModels();
// The same graph once more, as another version.
const again = ["add", join(models, "gru/1/model.onnx"), "--name", "gru", "--models", models];
const task = ["--task", "voice-activity-detection"];
const options = ["--options", JSON.stringify(GRU)];
expect(await nearcast([...again, ...task, ...options])).toMatchObject({ code: 0 });
afterAll(() => rm(models, { recursive: true }));

interface Answer {
  detail: string;
  code: string;
  outputs: VoiceAnswer;
  errors: { path: string; message: string }[];
}

function serve(env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false", ...env });
  const logs: Record<string, unknown>[] = [];
  platform.log = (entry) => void logs.push(entry);
  const app = createApp(createService(platform));
  const ask = async (path: string, body: unknown) => {
    const response = await app.request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const { status, headers } = response;
    return { status, headers, answer: (await response.json()) as Answer };
  };
  const hear = (file: Uint8Array, parameters: object = {}, path = "/v1/models/gru/predict") =>
    ask(path, { inputs: Buffer.from(file).toString("base64"), parameters });
  return { app, ask, hear, logs };
}

const { app, ask, hear } = serve();
const at = recorded.gru.findIndex(
  ({ segments }, row) =>
    segments.length > 0 && recipes[row]!.rate === 16_000 && recipes[row]!.channels === 1,
);
const samples = voiceSamples(recipes[at]!);
const piece = wavOfVoice(samples.slice(0, 3000));
const { answer: begun } = await hear(piece, { return_state: true });
const good = begun.outputs.state ?? "";

/** The state with some of its bytes changed. The numbers are behind the header. */
function changed(change: (bytes: Buffer, numbers: number) => Buffer | void): string {
  const bytes = Buffer.from(good, "base64");
  return (change(bytes, 4 + bytes.readUInt32BE(0)) ?? bytes).toString("base64");
}

/** The state with so many rows in its first tensor, in the header and in the numbers. */
function ofRows(count: number): string {
  return changed((bytes, from) => {
    const head = bytes.toString("utf8", 4, from).replace("[1,1,16]", `[1,${count},16]`);
    const rest = bytes.subarray(from + HIDDEN);
    const all = [bytes.subarray(0, 4), Buffer.from(head), Buffer.alloc(HIDDEN * count), rest];
    return Buffer.concat(all);
  });
}

const HIDDEN = 16 * 4;
const REST = (64 + (3000 % 512)) * 4;
const wrong: [string, string, RegExp][] = [
  ["no base64", "!", /is no state of an answer/],
  ["nothing", "", /is no state of an answer/],
  ["other text", Buffer.from("a state of mine").toString("base64"), /is no state of an answer/],
  ["a part of it", good.slice(0, 400), /has other tensors/],
  ["more than it", changed((bytes) => Buffer.concat([bytes, bytes])), /has other tensors/],
  ["NaN", changed((bytes, from) => void bytes.writeFloatLE(NaN, from)), /no finite numbers/],
  [
    "infinity among the samples",
    changed((bytes, from) => void bytes.writeFloatLE(Infinity, from + HIDDEN + 8)),
    /no finite numbers/,
  ],
  [
    "a place of NaN",
    changed((bytes, from) => void bytes.writeDoubleLE(NaN, from + HIDDEN + REST)),
    /no finite numbers/,
  ],
  [
    "a place before the beginning",
    changed((bytes, from) => void bytes.writeDoubleLE(-512, from + HIDDEN + REST)),
    /has other tensors/,
  ],
  [
    "speech that begins later than it is",
    changed((bytes, from) => void bytes.writeDoubleLE(1e6, from + HIDDEN + REST + 8)),
    /has other tensors/,
  ],
  [
    "another shape",
    changed((bytes) => void bytes.write("[1,2,8]]", bytes.indexOf("[1,1,16]"))),
    /is no state of an answer/,
  ],
  ["of two streams", ofRows(2), /has other tensors/],
  ["of no stream", ofRows(0), /has other tensors/],
];

test.each(wrong)("a state is refused that is %s", async (_, state, message) => {
  const { status, answer } = await hear(piece, { state });
  expect(status).toBe(422);
  expect(answer.errors[0]).toEqual({
    path: "parameters.state",
    message: expect.stringMatching(message) as string,
  });
});

test("a state of another version is refused, and says which one", async () => {
  const { status, answer } = await hear(
    piece,
    { state: good },
    "/v1/models/gru/versions/2/predict",
  );
  expect(status).toBe(422);
  expect(answer.detail).toContain("is of gru 1, and gru 2 answers now");
  expect((await hear(piece, { state: good }, "/v1/models/gru/versions/1/predict")).status).toBe(
    200,
  );
});

test("a state is for one recording, is not too long, and needs the model's rate", async () => {
  const input = Buffer.from(piece).toString("base64");
  const two = await ask("/v1/models/gru/predict", {
    inputs: [input, input],
    parameters: { state: good },
  });
  expect(two.status).toBe(422);
  expect(two.answer.detail).toContain("goes on with one recording");
  const long = await hear(piece, { state: "A".repeat(1024 * 1024 + 1) });
  expect(long.status).toBe(422);
  expect(long.answer.errors[0]?.path).toBe("parameters.state");
  for (const parameters of [{ state: good }, { return_state: true }]) {
    const other = await hear(wavOfVoice(samples.slice(0, 3000), 44_100), parameters);
    expect(other.status).toBe(422);
    expect(other.answer.detail).toContain("a piece of a stream needs the model's 16000");
  }
});

test("recordings begin anew, each with a state of its own", async () => {
  const input = Buffer.from(piece).toString("base64");
  const { answer } = await ask("/v1/models/gru/predict", {
    inputs: [input, input],
    parameters: { return_state: true },
  });
  const outputs = answer.outputs as unknown as VoiceAnswer[];
  expect(outputs.map(({ state }) => state)).toEqual([good, good]);
});

test("an empty recording is refused, and one sample is heard", async () => {
  const empty = await hear(wavOf(new Uint8Array()));
  expect(empty.status).toBe(422);
  expect(empty.answer.detail).toContain("has no sound");
  const { answer } = await hear(wavOfVoice(samples.slice(0, 1)), { return_probabilities: true });
  expect(answer.outputs.probabilities).toHaveLength(1);
  expect(answer.outputs.segments).toEqual([]);
});

test("a stream ends without further sound, and an empty piece is none", async () => {
  const nothing = wavOf(new Uint8Array());
  for (const length of [700, 8000, 512 * 9]) {
    const some = wavOfVoice(samples.slice(0, length));
    const { answer: whole } = await hear(some, { return_probabilities: true });
    const { answer: first } = await hear(some, { return_probabilities: true, return_state: true });
    const { state } = first.outputs;
    const { status, answer } = await hear(nothing, { state, return_probabilities: true });
    expect(status, JSON.stringify(answer)).toBe(200);
    expect([...first.outputs.segments, ...answer.outputs.segments]).toEqual(whole.outputs.segments);
    const probabilities = [first, answer].flatMap(({ outputs }) => outputs.probabilities);
    expect(probabilities).toEqual(whole.outputs.probabilities);
    const goesOn = await hear(nothing, { state, return_state: true });
    expect(goesOn.answer.detail).toContain("has no sound");
  }
});

test("kept answers of a recording are not those of the graph's own tensors", async () => {
  const kept = serve({ PREDICTION_CACHE_TTL_SECONDS: "60" });
  const sound = wavOfVoice(samples.slice(0, 1024));
  for (const state of ["miss", "hit"]) {
    const { answer, headers } = await kept.hear(sound, { return_probabilities: true });
    expect(answer.outputs.probabilities).toHaveLength(2);
    expect(headers.get("cache-status")).toContain(state);
  }
  const floats = Float32Array.from(samples.slice(0, 1024), (sample) => sample / 32_768);
  const all = [...new Float32Array(64), ...floats];
  const data = [...all.slice(0, 576), ...all.slice(512)];
  const inputs = [
    { name: "input", datatype: "FP32", shape: [2, 576], data },
    { name: "h", datatype: "FP32", shape: [1, 1, 16], data: Array.from({ length: 16 }, () => 0) },
  ];
  // The graph takes as many states as windows.
  const { status, answer } = await kept.ask("/v2/models/gru/infer", { inputs });
  expect(status, JSON.stringify(answer)).toBe(422);
});

test("parameters have bounds", async () => {
  for (const [name, value] of [
    ["threshold", 1.5],
    ["neg_threshold", -0.1],
    ["min_speech_duration_ms", -1],
    ["min_silence_duration_ms", 60_001],
    ["speech_pad_ms", 10_001],
    ["max_speech_duration_s", 5],
  ] as const) {
    const { status, answer } = await hear(piece, { [name]: value });
    expect(status, name).toBe(422);
    expect(answer.errors[0]?.path).toContain("parameters");
  }
});

test("a recording that takes longer than its caller waits is given up", async () => {
  const response = await app.request("/v1/models/gru/predict", {
    method: "POST",
    headers: { "Content-Type": "audio/wav", "X-Request-Timeout-Ms": "20" },
    body: wavOfVoice(new Int16Array(120 * 16_000)),
  });
  expect(response.status).toBe(504);
  expect(((await response.json()) as Answer).code).toBe("deadline_exceeded");
});

test("clients of the graph carry the state as tensors, in JSON and in binary", async () => {
  const wanted = recorded.gru[at]!.probabilities;
  const floats = Float32Array.from(samples, (sample) => sample / 32_768);
  const window = (index: number) => {
    const data = new Float32Array(576);
    const from = index * 512 - 64;
    data.set(floats.slice(Math.max(0, from), from + 576), Math.max(0, -from));
    return data;
  };
  let [json, binary] = [Array.from({ length: 16 }, () => 0), new Uint8Array(64)];
  for (let index = 0; index < 6; index++) {
    const x = window(index);
    const { answer } = await ask("/v2/models/gru/infer", {
      inputs: [
        { name: "input", datatype: "FP32", shape: [1, 576], data: [...x] },
        { name: "h", datatype: "FP32", shape: [1, 1, 16], data: json },
      ],
    });
    const { outputs } = answer as unknown as { outputs: { name: string; data: number[] }[] };
    const [speech, hn] = ["speech", "hn"].map((name) => outputs.find((one) => one.name === name)!);
    json = hn!.data;
    expect(speech!.data[0]).toBeCloseTo(wanted[index]!, 4);

    const head = JSON.stringify({
      inputs: [
        {
          name: "input",
          datatype: "FP32",
          shape: [1, 576],
          parameters: { binary_data_size: 2304 },
        },
        { name: "h", datatype: "FP32", shape: [1, 1, 16], parameters: { binary_data_size: 64 } },
      ],
      parameters: { binary_data_output: true },
    });
    const response = await app.request("/v2/models/gru/infer", {
      method: "POST",
      headers: { "Inference-Header-Content-Length": String(head.length) },
      body: Buffer.concat([Buffer.from(head), new Uint8Array(x.buffer), binary]),
    });
    expect(response.status).toBe(200);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const start = Number(response.headers.get("inference-header-content-length"));
    const about = JSON.parse(new TextDecoder().decode(bytes.slice(0, start))) as {
      outputs: { name: string }[];
    };
    const order = about.outputs.map(({ name }) => name);
    expect(order).toEqual(["speech", "hn"]);
    expect(new Float32Array(bytes.slice(start, start + 4).buffer)[0]).toBeCloseTo(
      wanted[index]!,
      4,
    );
    binary = bytes.slice(start + 4);
  }
});

test("other dialects take recordings where they have a form for them, and tensors by name", async () => {
  const other = serve({ DEFAULT_MODEL: "gru" });
  const b64 = Buffer.from(piece).toString("base64");
  const native = "are for /v1/models/gru/predict";
  for (const [path, body, message] of [
    ["/v1/models/gru:predict", { instances: [{ b64 }] }, native],
    ["/v1/models/gru/versions/1:predict", { inputs: { b64 } }, "must be by name: gru has input, h"],
  ] as const) {
    const { status, answer } = await other.ask(path, body);
    expect(status, path).toBe(422);
    expect(JSON.stringify(answer), path).toContain(message);
  }
  const invoked = await other.ask("/invocations", { instances: [{ b64 }] });
  const { outputs: wanted } = (await other.hear(piece)).answer;
  expect(invoked.answer).toEqual({ predictions: [wanted] });
  const input = [Array.from({ length: 576 }, () => 0)];
  const inputs = { input, h: [[Array.from({ length: 16 }, () => 0)]] };
  for (const path of ["/v1/models/gru:predict", "/invocations"]) {
    const { status, answer } = await other.ask(path, { inputs });
    expect(status, path).toBe(200);
    const { outputs, predictions } = answer as unknown as Record<string, object | undefined>;
    expect(outputs ?? predictions, path).toMatchObject({
      speech: [[expect.any(Number)]],
      hn: [[expect.any(Array)]],
    });
  }
  const sequence = await ask("/v2/models/gru/infer", {
    parameters: { sequence_id: 7, sequence_start: true },
    inputs: [{ name: "input", datatype: "FP32", shape: [1, 576], data: [] }],
  });
  expect(sequence.status).toBe(422);
  expect(JSON.stringify(sequence.answer)).toContain("sequence_id");
});

/** A graph that takes a fixed number of windows. */
function ofWindows(count: number, windowsAtOnce: number): object {
  const inputs = [
    { name: "input", datatype: "FP32", shape: [count, 576] },
    { name: "h", datatype: "FP32", shape: [1, 1, 16] },
  ];
  return { inputs, voice: { ...GRU.voice, windowsAtOnce } };
}

test.each([
  [{ state: { h: "speech" } }, "whose datatypes or shapes differ"],
  [{ state: { g: "hn" } }, "which are not an input and an output"],
  [{ state: { h: "hn", input: "hn" } }, "state names an output twice"],
  [{ batchDimension: 0 }, "needs batchDimension null"],
  [{ voice: { ...GRU.voice, window: 500 } }, "one FP32 input of shape [-1, 564]"],
  [{ ...ofWindows(4, 4) }, "one FP32 input of shape [-1, 576]"],
  [{ ...ofWindows(1, 4) }, "one FP32 input of shape [-1, 576]"],
] as const)("a manifest is refused that does not fit the graph: %j", async (change, message) => {
  const text = await readFile(join(models, "gru/1/model.json"), "utf8");
  const tasks = createTasks();
  const manifest = tasks.parseManifest(
    JSON.stringify({ ...(JSON.parse(text) as object), ...change }),
  );
  const parts = { limits: {}, assets: new Map() } as unknown as CompileParts;
  await expect(tasks.compile(manifest, parts)).rejects.toThrow(message);
});
