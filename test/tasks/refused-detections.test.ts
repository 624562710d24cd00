import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { outcomeOf } from "../../functions/observe/feedback/outcomes.ts";
import type { Parts, Run, TaskVersion } from "../../functions/tasks/define.ts";
import { PICTURE } from "../../functions/tasks/image/options.ts";
import { compile } from "../../functions/tasks/object-detection/compile.ts";
import { objectDetection } from "../../functions/tasks/object-detection/task.ts";
import type { objectDetectionOptions } from "../../functions/tasks/object-detection/options.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Tensors } from "../../functions/tensor.ts";
import { folder } from "./object-detection.ts";
import { emptyStore, openService, writePackage } from "./service.ts";

const IMAGE = {
  width: 96,
  height: 64,
  color: "rgb",
  layout: "NCHW",
  resample: "bilinear",
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const LABELS = ["ball", "person", "wheel"];
const YOLO = { head: "yolo", output: "output0", iou: 0.5, maxDetections: 10 };

function manifestOf(detection: object, shapes: Record<string, number[]>, more: object = {}) {
  return {
    name: "it",
    task: "object-detection",
    inputs: [{ name: "images", datatype: "FP32", shape: [-1, 3, 64, 96] }],
    outputs: Object.entries(shapes).map(([name, shape]) => ({ name, datatype: "FP32", shape })),
    image: IMAGE,
    labels: LABELS,
    detection,
    ...more,
  };
}

const { loadDecoder } = createNodePlatform({});

async function compiled(manifest: ReturnType<typeof manifestOf>, more: object = {}) {
  const file = { file: "model.onnx", sha256: "0".repeat(64), bytes: 1 };
  const whole = { schema: 1, version: "1", description: "", artifact: file, ...manifest };
  const parsed = objectDetection.manifestSchema.parse(whole);
  const limits = { imagePixels: 1e6 };
  const version: unknown = { manifest: parsed, limits, loadDecoder, ...more };
  return compile(version as TaskVersion<typeof objectDetectionOptions>);
}

/** The answers to one picture of 96 × 64 pixels, for outputs that are made up. */
async function answersOf(manifest: ReturnType<typeof manifestOf>, outputs: Tensors) {
  const task = await compiled(manifest);
  const run = { feeds: {}, rows: 1, context: [{ width: 96, height: 64 }] };
  const made = task.postprocess(outputs, run, {}) as Iterator<unknown, unknown[]>;
  for (;;) {
    const part = made.next();
    if (part.done) return part.value;
  }
}

function tensor(shape: number[], data: number[]): Tensors[string] {
  return { datatype: "FP32", shape, data: Float32Array.from(data) };
}

const FREE = { output0: [-1, 7, -1] };
const BOX = [10, 10, 4, 4];

test.each([
  ["a score that is not a number", [...BOX, NaN, 0.1, 0.2], "one of its scores is not a number"],
  ["one beside a better one", [...BOX, 0.9, NaN, 0.2], "one of its scores is not a number"],
  ["a score above 1", [...BOX, 3.5, 0.1, 0.2], "one of its scores is 3.5, and 1 is the highest"],
  ["a box without an end", [10, 10, Infinity, 4, 0.9, 0, 0], "one of its boxes is not finite"],
  ["a box that is not a number", [NaN, 10, 4, 4, 0.9, 0, 0], "one of its boxes is not finite"],
])("%s is no answer", async (_, data, reason) => {
  const outputs = { output0: tensor([1, 7, 1], data) };
  await expect(answersOf(manifestOf(YOLO, FREE), outputs)).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining(reason) as string,
  });
});

test("a label that there is not is no answer, above the threshold", async () => {
  const manifest = manifestOf({ head: "boxes", output: "output0" }, { output0: [-1, -1, 6] });
  const boxes = (label: number, score: number) =>
    answersOf(manifest, { output0: tensor([1, 1, 6], [1, 2, 3, 4, score, label]) });
  expect(await boxes(2, 0.75)).toEqual([
    [{ label: "wheel", score: 0.75, box: { xmin: 1, ymin: 2, xmax: 3, ymax: 4 } }],
  ]);
  expect(await boxes(-1, 0)).toEqual([[]]);
  for (const label of [3, -1, 0.5, NaN])
    await expect(boxes(label, 0.75)).rejects.toMatchObject({ code: "model_corrupt" });
});

test("boxes are cut to the picture, and not above the most", async () => {
  const places = 50;
  // Side by side, and each a little surer than the one before.
  const rows = [
    Array.from({ length: places }, (_, place) => place * 10 - 3),
    Array.from({ length: places }, () => 2),
    Array.from({ length: places }, () => 9),
    Array.from({ length: places }, () => 9),
    Array.from({ length: places }, (_, place) => 0.5 + place / 200),
    Array.from({ length: places * 2 }, () => 0),
  ];
  const outputs = { output0: tensor([1, 7, places], rows.flat()) };
  const [found] = (await answersOf(manifestOf(YOLO, FREE), outputs)) as { box: object }[][];
  expect(found).toHaveLength(10);
  expect(found?.[0]).toMatchObject({
    label: "ball",
    box: { xmin: 96, ymin: 0, xmax: 96, ymax: 6 },
  });
});

test.each([
  [{ ...YOLO, iou: undefined }, FREE, "detection.iou goes with the heads yolo"],
  [{ ...YOLO, output: "boxes" }, FREE, "detection.output must name an FP32"],
  [YOLO, { output0: [-1, 8, -1] }, "of shape [-1, 7, -1]"],
  [{ head: "detr", output: "output0" }, FREE, "detection.logits and detection.activation go with"],
  [
    { head: "detr", output: "b", logits: "l", activation: "softmax" },
    { b: [-1, 5, 4], l: [-1, 5, 3] },
    "detection.logits must name an FP32, FP64 or FP16 output of shape [-1, -1, 4]",
  ],
])("the manifest %j is refused", async (detection, shapes, reason) => {
  await expect(compiled(manifestOf(detection, shapes as Record<string, number[]>))).rejects.toThrow(
    reason,
  );
});

/** A DETR whose pictures keep their ratio, and that takes a mask. */
function detrManifest(resize: object) {
  const detection = { head: "detr", output: "b", logits: "l", activation: "sigmoid" };
  return manifestOf(
    detection,
    { b: [-1, 5, 4], l: [-1, 5, 3] },
    {
      image: { ...IMAGE, width: 1333, height: 1333, resize },
      inputs: [
        { name: "images", datatype: "FP32", shape: [-1, 3, -1, -1] },
        { name: "mask", datatype: "INT64", shape: [-1, -1, -1] },
      ],
    },
  );
}

const DETR = { shortestEdge: 800, longestEdge: 1333 };

test("a size that would cut each picture to nothing is refused in the manifest", async () => {
  const manifest = detrManifest({ shortestEdge: 200, longestEdge: 1333, multipleOf: 256 });
  await expect(compiled(manifest)).rejects.toThrow("multipleOf must not be above");
});

test("small pictures that become large ones are made elsewhere, and their parts let others take turns", async () => {
  let elsewhere = 0;
  async function decodeElsewhere() {
    elsewhere++;
    return { width: 800, height: 800, channels: 3, data: new Uint8Array(800 * 800 * 3) };
  }
  const task = await compiled(detrManifest(DETR), { decodeElsewhere });
  const options = { pathOf: (row: number) => `inputs[${row}]`, parameters: {} };
  const parts = task.preprocess([PICTURE, PICTURE, PICTURE], options) as Parts<Run[]>;
  let pauses = 0;
  for (let part = parts.next(); ; part = parts.next()) {
    if (part.done) {
      expect(part.value.map(({ feeds }) => feeds["mask"]?.shape)).toEqual(
        [1, 2, 3].map(() => [1, 800, 800]),
      );
      break;
    }
    if (part.value) await part.value();
    else pauses++;
  }
  expect(elsewhere).toBe(3);
  // Between pictures, before the levels of each are read, and before each mask.
  expect(pauses).toBe(2 + 3 + 3);
});

test("a mask counts among the numbers of a request", async () => {
  const task = await compiled(detrManifest(DETR));
  const options = { pathOf: (row: number) => `inputs[${row}]`, parameters: {} };
  const begin = () => (task.preprocess(Array(4).fill(PICTURE), options) as Parts<Run[]>).next();
  // Four of at most 800 × 1333 pixels have 13 million numbers, and their masks take 8 million more.
  expect(begin).toThrow("must have at most 3 images");
});

test("drift counts what the manifest's threshold lets through, whatever the caller's is", async () => {
  const { quantities = [] } = await compiled(manifestOf({ ...YOLO, threshold: 0.3 }, FREE));
  const box = { xmin: 0, ymin: 0, xmax: 1, ymax: 1 };
  // In 32 bits as scores are: 0.3 is not above 0.3.
  const scores = [0.9, 0.4, Math.fround(0.3), 0.1];
  const answers = [scores.map((score) => ({ label: "ball", score, box }))];
  const values = new Map(
    quantities.map((quantity) => {
      const taken: unknown[] = [];
      quantity.each({ inputs: [], runs: [], answers }, (value) => taken.push(value));
      return [quantity.name, taken];
    }),
  );
  expect(values.get("prediction.detections")).toEqual([2]);
  expect(values.get("prediction.labels")).toEqual(["ball", "ball"]);
  expect(outcomeOf(quantities)).toBeUndefined();
});

test("a threshold outside of 0 to 1, and a picture that is none, are refused by their paths", async () => {
  const store = await emptyStore();
  const artifact = await readFile(join(folder, "yolo8.onnx"));
  const manifest = manifestOf(YOLO, { output0: [-1, 7, 96] });
  await writePackage(store, { artifact, manifest });
  const { predict } = openService(store, "native");
  for (const threshold of [-0.1, 1.1, "0.5"])
    expect(await predict("it", "AAAA", { threshold })).toMatchObject({
      status: 422,
      errors: [{ path: "parameters.threshold" }],
    });
  expect(await predict("it", ["AAAA", "no picture"])).toMatchObject({
    status: 422,
    errors: [{ path: "inputs[0]" }, { path: "inputs[1]" }],
  });
});

test("an answer that could be too long is refused before the model runs", async () => {
  const store = await emptyStore();
  const artifact = await readFile(join(folder, "yolo8.onnx"));
  const limits = { answerBytes: 1000 };
  const manifest = manifestOf(YOLO, { output0: [-1, 7, 96] }, { limits });
  await writePackage(store, { artifact, manifest });
  const [picture] = (objectDetection.examples?.(manifest as never) ?? []) as string[];
  const { predict } = openService(store, "native");
  expect(await predict("it", picture, { threshold: 1 })).toMatchObject({
    status: 507,
    code: "answer_too_large",
  });
});
