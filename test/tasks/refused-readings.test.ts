import { encode } from "fast-png";
import { expect, test } from "vitest";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Parts, Run, TaskVersion } from "../../functions/tasks/define.ts";
import { PICTURE } from "../../functions/tasks/image/options.ts";
import { compile } from "../../functions/tasks/image-to-text/compile.ts";
import type { imageToTextOptions } from "../../functions/tasks/image-to-text/options.ts";
import { imageToText } from "../../functions/tasks/image-to-text/task.ts";
import type { Tensor, Tensors } from "../../functions/tensor.ts";
import { addReader } from "./image-to-text.ts";
import { emptyStore, openService } from "./service.ts";

const IMAGE = {
  width: 640,
  height: 32,
  resize: { fill: 0.5, leastWidth: 16 },
  color: "grayscale",
  layout: "NCHW",
  resample: "bilinear",
  scale: 1 / 255,
  mean: [0],
  std: [1],
};

const RECOGNITION = { output: "text", characters: "characters.txt" };
const CTC = { ...RECOGNITION, blank: 0, activation: "softmax" };
const END = { ...RECOGNITION, end: 3, activation: "none" };
const CLASSES = { ...RECOGNITION, end: 3 };

const INTEGERS = [{ name: "text", datatype: "INT64", shape: [-1, -1] }];

const MANIFEST = {
  name: "it",
  task: "image-to-text",
  inputs: [{ name: "image", datatype: "FP32", shape: [-1, 1, 32, -1] }],
  outputs: [{ name: "text", datatype: "FP32", shape: [-1, -1, 4] }],
  image: IMAGE,
  recognition: CTC,
};

const { loadDecoder } = createNodePlatform({});

async function compiled(more: object = {}, characters = "a\nb\n \n") {
  const file = { file: "model.onnx", sha256: "0".repeat(64), bytes: 1 };
  const whole = { schema: 1, version: "1", description: "", artifact: file, ...MANIFEST, ...more };
  const manifest = imageToText.manifestSchema.parse(whole);
  const assets = new Map([["characters.txt", new TextEncoder().encode(characters)]]);
  const version: unknown = { manifest, limits: { imagePixels: 4e8 }, assets, loadDecoder };
  return compile(version as TaskVersion<typeof imageToTextOptions>);
}

async function finished<T>(parts: unknown): Promise<T> {
  for (;;) {
    const part = (parts as Parts<T>).next();
    if (part.done) return part.value;
    if (part.value) await part.value();
  }
}

/** One picture whose steps have these classes, each with the same number more than the others. */
function steps(classes: readonly number[], more: number): Tensors {
  const data = new Float32Array(classes.length * 4);
  for (const [step, one] of classes.entries()) data[step * 4 + one] = more;
  return { text: { datatype: "FP32", shape: [1, classes.length, 4], data } };
}

function integers(classes: readonly bigint[]): Tensors {
  const data = BigInt64Array.from(classes);
  return { text: { datatype: "INT64", shape: [1, classes.length], data } };
}

async function answerTo(outputs: Tensors, more: object = {}) {
  const task = await compiled(more);
  const run = { feeds: {}, rows: 1 };
  const [answer] = await finished<unknown[]>(task.postprocess(outputs, run, {}));
  return answer;
}

test("of CTC, equal classes one after another are one character, and the blank is none", async () => {
  const made = steps([0, 1, 1, 0, 1, 3, 2, 2, 0], 4);
  const score = Math.exp(4) / (Math.exp(4) + 3);
  const answer = await answerTo(made);
  expect(answer).toEqual({ generated_text: "aa b", score: expect.closeTo(score, 6) as number });
  const last = { recognition: { ...CTC, blank: 3 } };
  expect(await answerTo(steps([3, 0, 0, 2, 3, 2, 1], 4), last)).toMatchObject({
    generated_text: "a  b",
  });
});

test("where each step is a character, equal ones stay, and the end ends the text", async () => {
  expect(await answerTo(steps([0, 0, 2, 1, 3, 1], 0.75), { recognition: END })).toEqual({
    generated_text: "aa b",
    score: 0.75,
  });
  const classes = { recognition: CLASSES, outputs: INTEGERS };
  expect(await answerTo(integers([1n, 1n, 3n, 0n]), classes)).toEqual({ generated_text: "bb" });
});

test("a picture without text has an empty one, with the score 0", async () => {
  expect(await answerTo(steps([0, 0], 4))).toEqual({ generated_text: "", score: 0 });
  const ended = await answerTo(steps([3, 1], 0.75), { recognition: END });
  expect(ended).toEqual({ generated_text: "", score: 0 });
});

test.each([NaN, Infinity, -Infinity])("a number %d is no answer", async (bad) => {
  const made = steps([0, 1, 2], 1);
  const { data } = made["text"]!;
  (data as Float32Array)[11] = bad;
  await expect(answerTo(made)).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining("is not finite") as string,
  });
});

test.each([
  [[1, 3, 3], 9],
  [[2, 3, 4], 24],
  [[1, 0, 4], 0],
  [[3, 4], 12],
])("an output of the shape %j is no answer", async (shape, length) => {
  const text: Tensor = { datatype: "FP32", shape, data: new Float32Array(length) };
  await expect(answerTo({ text })).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining("another shape") as string,
  });
});

test("a probability above 1 and a class that is none are no answer", async () => {
  await expect(answerTo(steps([1], 1.5), { recognition: END })).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining("not from 0 to 1") as string,
  });
  for (const bad of [-1n, 4n])
    await expect(
      answerTo(integers([1n, bad]), { recognition: CLASSES, outputs: INTEGERS }),
    ).rejects.toMatchObject({ code: "model_corrupt" });
});

test.each([
  [{ recognition: RECOGNITION }, "must have blank (CTC) or end"],
  [{ recognition: { ...CTC, end: 1 } }, "and not both"],
  [{ recognition: { ...CTC, blank: 4 } }, "recognition.blank must be at most 3"],
  [{ recognition: { ...CTC, characters: "other.txt" } }, "other.txt is not an asset"],
  [{ recognition: { ...CTC, output: "other" } }, "of shape [-1, -1, 4]"],
  [{ outputs: [{ name: "text", datatype: "FP32", shape: [-1, -1, 5] }] }, "of shape [-1, -1, 4]"],
  [{ recognition: { ...CTC, activation: undefined } }, "recognition.activation goes with"],
  [{ outputs: INTEGERS }, "recognition.activation goes with"],
  [{ image: { ...IMAGE, resize: { fill: 0 } } }, "of shape [-1, 1, 32, 640]"],
  [{ image: { ...IMAGE, resize: { fill: 0, leastWidth: 641 } } }, "must not be above image.width"],
])("the manifest with %j is refused", async (more, reason) => {
  await expect(compiled(more)).rejects.toThrow(reason);
});

/** A black PNG in base64. */
function blackPicture(width: number, height: number): string {
  const data = new Uint8Array(width * height);
  return Buffer.from(encode({ width, height, data, channels: 1, depth: 8 })).toString("base64");
}

async function prepared(rows: readonly string[], more: object = {}): Promise<Run[]> {
  const task = await compiled(more);
  const options = { pathOf: (row: number) => `inputs[${row}]`, parameters: {} };
  return finished<Run[]>(task.preprocess(rows, options));
}

test("a run has few rows where the graph gives many numbers for each", async () => {
  const picture = blackPicture(10, 2);
  const flat = {
    inputs: [{ name: "image", datatype: "FP32", shape: [-1, 1, 32, 64] }],
    image: { ...IMAGE, width: 64, resize: { fill: 0 } },
  };
  const rowsOf = async (classes: number, size: number) => {
    const characters = Array.from({ length: classes - 1 }, (_, at) => `${at}\n`).join("");
    const outputs = [{ name: "text", datatype: "FP32", shape: [-1, size, classes] }];
    const task = await compiled({ ...flat, outputs }, characters);
    const options = { pathOf: String, parameters: {} };
    const rows = Array.from({ length: 300 }, () => picture);
    const runs = await finished<Run[]>(task.preprocess(rows, options));
    return runs.map((run) => run.rows);
  };
  expect(await rowsOf(40, 16)).toEqual([300]);
  expect(await rowsOf(5000, 2)).toEqual([100, 100, 100]);
  // Steps that the manifest does not say are as many as the picture is wide.
  const unknown = await rowsOf(5000, -1);
  expect(unknown).toEqual(Array.from({ length: 100 }, () => 3));
});

test("a line has the width of its ratio, and is filled up at its right", async () => {
  const runs = await prepared([blackPicture(100, 16), blackPicture(5, 32), PICTURE]);
  expect(runs.map(({ feeds }) => feeds["image"]?.shape)).toEqual([
    [1, 1, 32, 200],
    [1, 1, 32, 16],
    [1, 1, 32, 32],
  ]);
  const { data } = runs[1]!.feeds["image"]!;
  expect(Array.from((data as Float32Array).slice(0, 16))).toEqual([
    0,
    0,
    0,
    0,
    0,
    ...Array.from({ length: 11 }, () => 0.5),
  ]);
});

test("so it is in a graph with its channels last", async () => {
  const [run] = await prepared([PICTURE], {
    inputs: [{ name: "image", datatype: "FP32", shape: [-1, 32, -1, 3] }],
    image: {
      ...IMAGE,
      color: "rgb",
      layout: "NHWC",
      resize: { fill: 2, leastWidth: 34 },
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
  });
  const { shape, data } = run!.feeds["image"]!;
  expect(shape).toEqual([1, 32, 34, 3]);
  const filled = Array.from(data as Float32Array, (one) => one === 2);
  // Two pixels of three colours at the end of each row.
  expect(filled).toEqual(filled.map((_, at) => at % (34 * 3) >= 32 * 3));
});

const FIXED = {
  inputs: [{ name: "image", datatype: "FP32", shape: [-1, 1, 32, 640] }],
  image: { ...IMAGE, resize: { fill: 0.5 } },
};

test("lines of all lengths fit a graph of one width: the longest are squeezed", async () => {
  const [run] = await prepared([blackPicture(60_000, 1), blackPicture(1, 60_000)], FIXED);
  const { shape, data } = run?.feeds["image"] ?? {};
  expect(shape).toEqual([2, 1, 32, 640]);
  const rows = data as Float32Array;
  expect(rows.slice(0, 32 * 640).every((one) => one === 0)).toBe(true);
  expect(Array.from(rows.slice(32 * 640, 32 * 640 + 3))).toEqual([0, 0.5, 0.5]);
});

test("a line that is too long is refused before it is decoded", async () => {
  const begun = performance.now();
  await expect(prepared([PICTURE, blackPicture(60_000, 1)])).rejects.toMatchObject({
    code: "invalid_input",
    issues: [
      {
        path: "inputs[1]",
        message:
          "is a picture of 60000 × 1 pixels, too wide: its text would be 1920000 pixels long at a height of 32, and the model takes 640",
      },
    ],
  });
  expect(performance.now() - begun).toBeLessThan(500);
  // One that is as long as can be is not.
  expect(await prepared([blackPicture(640, 32)])).toHaveLength(1);
});

test("so are lines that are too much together", async () => {
  const long = blackPicture(4, 1);
  const wide = {
    inputs: [{ name: "image", datatype: "FP32", shape: [-1, 1, 1024, -1] }],
    image: { ...IMAGE, width: 4096, height: 1024 },
  };
  // 4 million numbers each.
  await expect(prepared(Array<string>(4).fill(long), wide)).rejects.toMatchObject({
    code: "invalid_input",
    issues: [{ path: "inputs", message: expect.stringContaining("send fewer images") as string }],
  });
});

test("answers that are too long are not sent, and counted before they are written", async () => {
  const answers = [{ generated_text: "漢字かな".repeat(9), score: 0.123456789 }];
  const bytes = Buffer.byteLength(JSON.stringify(answers));
  const counted = (await compiled()).madeBytes?.(answers) ?? 0;
  expect(counted).toBeGreaterThanOrEqual(bytes);
  expect(counted).toBeLessThan(1.2 * bytes);
  const store = await emptyStore();
  await addReader(store, "crnn");
  const { predict } = openService(store, "native", { MAX_ANSWER_BYTES: "200" });
  expect(await predict("crnn", [PICTURE, PICTURE])).toMatchObject({ status: 200 });
  expect(await predict("crnn", Array<string>(9).fill(PICTURE))).toMatchObject({
    status: 507,
    code: "answer_too_large",
  });
});

test("what is no line of text is refused in every dialect by its path", async () => {
  const store = await emptyStore();
  await addReader(store, "crnn");
  const { post } = openService(store, "native");
  const long = blackPicture(60_000, 1);
  const tensor = { name: "image", datatype: "FP32", shape: [1, 1, 32, 641] };
  const data = Array.from({ length: 32 * 641 }, () => 0);
  const asked = [
    ["/v1/models/crnn/predict", { inputs: [PICTURE, long] }, "inputs[1] is a picture of 60000"],
    ["/v1/models/crnn/predict", { inputs: "bm90" }, "inputs must be a JPEG, PNG or WebP"],
    ["/v1/models/crnn/predict", { inputs: PICTURE, parameters: { top_k: 1 } }, "top_k"],
    ["/models/crnn", { inputs: long }, "inputs is a picture of 60000"],
    ["/models/crnn", { inputs: PICTURE, parameters: { max_new_tokens: 1 } }, "max_new_tokens"],
    ["/v1/models/crnn:predict", { instances: [{ b64: long }] }, "instances[0] is a picture of"],
    ["/v2/models/crnn/infer", { inputs: [{ ...tensor, data }] }, "at most [-1, 1, 32, 640]"],
  ] as const;
  for (const [path, body, reason] of asked) {
    const answer = await post(path, JSON.stringify(body));
    expect([path, answer.status]).toEqual([path, 422]);
    expect(JSON.stringify(answer)).toContain(reason);
  }
});
