import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TaskVersion } from "../../functions/tasks/define.ts";
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

async function compiled(manifest: ReturnType<typeof manifestOf>) {
  const file = { file: "model.onnx", sha256: "0".repeat(64), bytes: 1 };
  const whole = { schema: 1, version: "1", description: "", artifact: file, ...manifest };
  const parsed = objectDetection.manifestSchema.parse(whole);
  const limits = { imagePixels: 1e6 };
  return compile({ manifest: parsed, limits, loadDecoder } as unknown as TaskVersion<
    typeof objectDetectionOptions
  >);
}

/** The answers to one picture of 96 × 64 pixels, for outputs that are made up. */
async function answersOf(manifest: ReturnType<typeof manifestOf>, outputs: Tensors) {
  const task = await compiled(manifest);
  const run = { feeds: {}, rows: 1, context: [{ width: 96, height: 64 }] };
  const made = task.postprocess(outputs, run, {}) as Iterator<unknown, unknown[]>;
  const { value } = made.next();
  return value as unknown[];
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
