import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { encode } from "fast-png";
import { expect, test } from "vitest";
import { outcomeOf } from "../../functions/observe/feedback/outcomes.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Parts, Quantity, Run, TaskVersion } from "../../functions/tasks/define.ts";
import { PICTURE } from "../../functions/tasks/image/options.ts";
import { compile } from "../../functions/tasks/image-segmentation/compile.ts";
import type { Divided } from "../../functions/tasks/image-segmentation/head.ts";
import {
  imageSegmentationParameters,
  type imageSegmentationOptions,
} from "../../functions/tasks/image-segmentation/options.ts";
import { countsOf } from "../../functions/tasks/image-segmentation/run-lengths.ts";
import type { Rle, SegmentAnswer } from "../../functions/tasks/image-segmentation/segments.ts";
import { imageSegmentation } from "../../functions/tasks/image-segmentation/task.ts";
import type { Tensors } from "../../functions/tensor.ts";
import { folder } from "./image-segmentation.ts";
import { emptyStore, openService, writePackage } from "./service.ts";

const IMAGE = {
  width: 64,
  height: 64,
  color: "rgb",
  layout: "NCHW",
  resample: "bilinear",
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

const MANIFEST = {
  name: "it",
  task: "image-segmentation",
  inputs: [{ name: "pixel_values", datatype: "FP32", shape: [-1, 3, 64, 64] }],
  outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 6, -1, -1] }],
  image: IMAGE,
  labels: ["wall", "sky", "red bus", "road", "person", "tree"],
  segmentation: { output: "logits" },
};

const { loadDecoder } = createNodePlatform({});

async function compiled(more: object = {}, limits: object = {}) {
  const file = { file: "model.onnx", sha256: "0".repeat(64), bytes: 1 };
  const whole = { schema: 1, version: "1", description: "", artifact: file, ...MANIFEST, ...more };
  const manifest = imageSegmentation.manifestSchema.parse(whole);
  const all = { imagePixels: 4e8, answerBytes: 1e6, ...limits };
  const version: unknown = { manifest, limits: all, loadDecoder };
  return compile(version as TaskVersion<typeof imageSegmentationOptions>);
}

async function finished<T>(parts: unknown): Promise<T> {
  for (;;) {
    const part = (parts as Parts<T>).next();
    if (part.done) return part.value;
    if (part.value) await part.value();
  }
}

/** The answers to pictures of one size, all of whose logits are made up. */
async function answersTo(
  outputs: Tensors,
  {
    size = [8, 8],
    limits = {},
    encoding = "png",
  }: { size?: number[]; limits?: object; encoding?: string } = {},
) {
  const task = await compiled({}, limits);
  const spent = { numbers: 0, bytes: 0 };
  const context = Array.from({ length: outputs["logits"]?.shape[0] ?? 0 }, () => ({
    width: size[0],
    height: size[1],
    spent,
  }));
  const run = { feeds: {}, rows: context.length, context };
  const parameters = imageSegmentationParameters.parse({ encoding });
  const made = await finished<unknown[]>(task.postprocess(outputs, run, parameters));
  return finished<SegmentAnswer[][]>(task.write?.(made, run, parameters));
}

function logitsOf(rows: number, valueAt: (at: number) => number = (at) => at % 7): Tensors {
  const data = Float32Array.from({ length: rows * 6 * 4 }, (_, at) => valueAt(at));
  return { logits: { datatype: "FP32", shape: [rows, 6, 2, 2], data } };
}

test("what waits to be written takes as many bytes as are counted before it is made", async () => {
  const task = await compiled();
  const spent = { numbers: 0, bytes: 0 };
  const context = [
    { width: 30, height: 20, spent },
    { width: 7, height: 50, spent },
  ];
  const run = { feeds: {}, rows: 2, context };
  const parameters = imageSegmentationParameters.parse({});
  const made = await finished<Divided[]>(task.postprocess(logitsOf(2), run, parameters));
  const bytes = made.reduce((sum, { map }) => sum + map.numbers.byteLength, 0);
  expect(task.unwrittenBytes?.(run)).toBe(bytes);
});

test.each([NaN, Infinity, -Infinity])("a score of %d is no answer, wherever it is", async (bad) => {
  for (const place of [0, 13, 23])
    await expect(answersTo(logitsOf(1, (at) => (at === place ? bad : 1)))).rejects.toMatchObject({
      code: "model_corrupt",
      message: expect.stringContaining("one of its scores is not a finite number") as string,
    });
});

test.each([
  [[1, 5, 2, 2], 20],
  [[1, 6, 4], 24],
  [[1, 6, 0, 2], 0],
])("an output of the shape %j is no answer", async (shape, length) => {
  const logits = { datatype: "FP32" as const, shape, data: new Float32Array(length) };
  await expect(answersTo({ logits })).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining("another shape") as string,
  });
});

/** Two queries over 2 × 2 places: the left half is a sky, the right half a tree or nothing. */
const QUERIES = {
  outputs: [
    { name: "masks", datatype: "FP32", shape: [-1, -1, -1, -1] },
    { name: "classes", datatype: "FP32", shape: [-1, 2, 7] },
  ],
  segmentation: { output: "masks", classes: "classes", instances: "best" },
};

/** The output without its sizes, but for the labels. */
function free({ shape, ...output }: (typeof QUERIES.outputs)[number]) {
  return { ...output, shape: shape.map((size) => (size === 2 ? -1 : size)) };
}

test.each([
  [{ labels: ["wall"] }, "needs labels, two or more"],
  [{ labels: undefined }, "needs labels, two or more"],
  [{ segmentation: { output: "logits", classes: "classes" } }, "go together"],
  [{ ...QUERIES, outputs: QUERIES.outputs.map(free) }, "must say how many queries there are"],
  [{ segmentation: { output: "logits", instances: "best" } }, "go together"],
  [
    { segmentation: { output: "logits", classes: "classes", instances: "best" } },
    "the output classes must say how many queries there are",
  ],
  [{ segmentation: { output: "masks" } }, "segmentation.output must name an FP32"],
  [{ labels: ["a", "b"] }, "of shape [-1, 2, -1, -1]"],
  [{ image: { ...IMAGE, resize: { shortestEdge: 70 } } }, "must not cut the centre out"],
  [{ image: { ...IMAGE, resize: { width: 70, height: 64 } } }, "must not cut the centre out"],
])("the manifest with %j is refused", async (more, reason) => {
  await expect(compiled(more)).rejects.toThrow(reason);
});

function queried(tree: number, nothing: number, mask = 4): Tensors {
  const masks = Float32Array.of(mask, -4, 4, -4, -4, 4, -4, 4);
  const classes = new Float32Array(14);
  classes[1] = 9;
  [classes[7 + 5], classes[7 + 6]] = [tree, nothing];
  return {
    masks: { datatype: "FP32", shape: [1, 2, 2, 2], data: masks },
    classes: { datatype: "FP32", shape: [1, 2, 7], data: classes },
  };
}

/** Other pictures of the request took so many `numbers`. */
async function divided(outputs: Tensors, parameters: object = {}, numbers = 0) {
  const task = await compiled(QUERIES);
  const context = [{ width: 4, height: 2, spent: { numbers, bytes: 0 } }];
  const all = imageSegmentationParameters.parse({ encoding: "rle", ...parameters });
  const run = { feeds: {}, rows: 1, context };
  const made = await finished<unknown[]>(task.postprocess(outputs, run, all));
  const [answer] = await finished<SegmentAnswer[][]>(task.write?.(made, run, all));
  return answer?.map((segment) => [segment.label, countsOf((segment.mask as Rle).counts)]);
}

test("masks of queries are segments, but for nothing, for low scores and for what others cover", async () => {
  const sky = ["sky", [0, 4, 4]];
  const tree = ["tree", [4, 4]];
  expect(await divided(queried(9, 0))).toEqual([sky, tree]);
  // Where nothing is likelier, all pixels are the other query's, also those outside of its mask.
  expect(await divided(queried(0, 9))).toEqual([["sky", [0, 8]]]);
  expect(await divided(queried(0, 9), { threshold: 1 })).toEqual([]);
  expect(await divided(queried(9, 0), { mask_threshold: 1 })).toEqual([]);
  // Each has all of its mask for itself, and a larger part is asked for.
  expect(await divided(queried(9, 0), { overlap_mask_area_threshold: 1 })).toEqual([]);
  expect(await divided(queried(9, 0), { subtask: "semantic" })).toEqual([sky, tree]);
  expect(await divided(queried(8, 0), { subtask: "instance" })).toEqual([sky, tree]);
  expect(await divided(queried(0, 9), { subtask: "instance" })).toEqual([sky]);
});

test("scores of queries that are no numbers, and queries without masks, are no answer", async () => {
  for (const outputs of [queried(NaN, 0), queried(9, 0, NaN), queried(9, Infinity)])
    await expect(divided(outputs)).rejects.toMatchObject({ code: "model_corrupt" });
  const { classes } = queried(9, 0);
  const masks = { datatype: "FP32" as const, shape: [1, 1, 2, 2], data: new Float32Array(4) };
  await expect(divided({ masks, classes: classes! })).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining("not as many masks as rows of labels") as string,
  });
});

test.each(["png", "rle"])(
  "masks in %s that could be too long are not written",
  async (encoding) => {
    const size = [40, 40];
    const [answer] = await answersTo(logitsOf(1), { size, encoding });
    const { length } = JSON.stringify(answer);
    expect((await compiled()).madeBytes?.([answer])).toBeGreaterThan(0.9 * length);
    const limits = { answerBytes: length - 1 };
    const shorter = encoding === "png" ? "or ask for the encoding rle." : "or smaller ones.";
    await expect(answersTo(logitsOf(1), { size, encoding, limits })).rejects.toMatchObject({
      code: "answer_too_large",
      message: expect.stringContaining(shorter) as string,
    });
    // The masks of all pictures of a request count.
    const several = { size, encoding, limits: { answerBytes: 8 * length } };
    expect(await answersTo(logitsOf(2), several)).toHaveLength(2);
    await expect(answersTo(logitsOf(9), several)).rejects.toMatchObject({
      code: "answer_too_large",
    });
  },
);

test("each picture has a run of its own: outputs are as large as they are", async () => {
  const task = await compiled();
  const options = {
    pathOf: (row: number) => `inputs[${row}]`,
    parameters: imageSegmentationParameters.parse({}),
  };
  const runs = await finished<Run[]>(task.preprocess([PICTURE, PICTURE, PICTURE], options));
  expect(runs.map(({ rows }) => rows)).toEqual([1, 1, 1]);
});

/** A black PNG in base64. */
function blackPicture(width: number, height: number): string {
  const data = new Uint8Array(width * height);
  return Buffer.from(encode({ width, height, data, channels: 1, depth: 8 })).toString("base64");
}

test("pictures whose masks would take too long are refused before the model runs", async () => {
  const [masks, classes] = QUERIES.outputs as [object, object];
  const outputs = [masks, { ...classes, shape: [-1, 60_000, 7] }];
  const many = await compiled({ ...QUERIES, outputs });
  const options = {
    pathOf: (row: number) => `inputs[${row}]`,
    parameters: imageSegmentationParameters.parse({}),
  };
  const prepared = (task: typeof many, ...rows: string[]) =>
    finished<Run[]>(task.preprocess(rows, options));
  const picture = blackPicture(80, 80);
  expect(await prepared(many, picture)).toHaveLength(1);
  // 640 million numbers are 10,666 pixels with so many queries.
  await expect(prepared(many, picture, picture)).rejects.toMatchObject({
    code: "invalid_input",
    issues: [{ path: "inputs", message: expect.stringContaining("have 12800 pixels") as string }],
  });
  await expect(prepared(await compiled(), blackPicture(70_000, 1))).rejects.toMatchObject({
    issues: [{ message: expect.stringContaining("a picture of 70000 × 1 pixels") as string }],
  });
});

test("what labels of queries take at each place is bounded too, also for narrow pictures", async () => {
  const labels = Array.from({ length: 150 }, (_, at) => `label ${at}`);
  const [masks, classes] = QUERIES.outputs as [object, object];
  const outputs = [masks, { ...classes, shape: [-1, 100, 151] }];
  const scaled = { width: 384, height: 384 };
  const segmentation = { ...QUERIES.segmentation, scaled };
  const task = await compiled({ outputs, labels, segmentation });
  const prepared = (subtask: string, count: number) =>
    finished<Run[]>(
      task.preprocess(Array<string>(count).fill(blackPicture(1, 400)), {
        pathOf: (row: number) => `inputs[${row}]`,
        parameters: imageSegmentationParameters.parse({ subtask }),
      }),
    );
  expect(await prepared("semantic", 1)).toHaveLength(1);
  await expect(prepared("semantic", 2)).rejects.toMatchObject({
    code: "invalid_input",
    issues: [{ message: expect.stringContaining("send fewer pictures at once") as string }],
  });
  for (const subtask of ["panoptic", "instance"])
    expect(await prepared(subtask, 16)).toHaveLength(16);
  await expect(prepared("instance", 60)).rejects.toMatchObject({ code: "invalid_input" });
  // Where the manifest has no sizes, the outputs have them.
  const most = 640_000_000;
  expect(await divided(queried(9, 0), { subtask: "semantic" }, most - 60)).toHaveLength(2);
  await expect(divided(queried(9, 0), {}, most - 7)).rejects.toMatchObject({
    code: "invalid_input",
  });
});

test("drift counts labels of pictures, and no picture has an outcome", async () => {
  const { quantities = [] } = await compiled();
  const values = valuesOf(quantities, [
    [
      { label: "sky", mask: "" },
      { label: "tree", score: 0.95, mask: "" },
      // One that only a caller's lower threshold gives does not count.
      { label: "wall", score: 0.5, mask: "" },
    ],
    [],
  ]);
  expect(values.get("prediction.segments")).toEqual([2, 0]);
  expect(values.get("prediction.labels")).toEqual(["sky", "tree"]);
  expect(outcomeOf(quantities)).toBeUndefined();
});

test("drift counts only what is divided as where a request does not say how", async () => {
  const task = await compiled(QUERIES);
  const counted = async (subtask?: string) => {
    const parameters = imageSegmentationParameters.parse({ subtask });
    const options = { pathOf: (row: number) => `inputs[${row}]`, parameters };
    const runs = await finished<Run[]>(task.preprocess([PICTURE], options));
    const answers = [[{ label: "tree", score: 0.95, mask: "" }]];
    return valuesOf(task.quantities ?? [], answers, runs).get("prediction.segments");
  };
  expect(await counted()).toEqual([1]);
  expect(await counted("panoptic")).toEqual([1]);
  expect(await counted("instance")).toEqual([]);
  expect(await counted("semantic")).toEqual([]);
});

function valuesOf(
  quantities: readonly Quantity[],
  answers: unknown[],
  runs: readonly Run[] = [],
): Map<string, unknown[]> {
  return new Map(
    quantities.map((quantity) => {
      const taken: unknown[] = [];
      quantity.each({ inputs: [], runs, answers }, (value) => taken.push(value));
      return [quantity.name, taken];
    }),
  );
}

test("outputs of unknown sizes are not held until those of all pictures could be kept", async () => {
  const store = await emptyStore();
  const artifact = await readFile(join(folder, "upernet/onnx/model.onnx"));
  await writePackage(store, { artifact, manifest: MANIFEST });
  const { predict, logs } = openService(store, "native", { PREDICTION_CACHE_TTL_SECONDS: "60" });
  expect(await predict("it", [PICTURE, PICTURE])).toMatchObject({ status: 200 });
  expect(await predict("it", PICTURE)).toMatchObject({ status: 200 });
  expect(logs.map(({ cache }) => cache).filter(Boolean)).toEqual(["bypass", "miss"]);
});

test("another encoding, and a picture that is none, are refused by their paths", async () => {
  const store = await emptyStore();
  const artifact = await readFile(join(folder, "upernet/onnx/model.onnx"));
  await writePackage(store, { artifact, manifest: MANIFEST });
  const { predict } = openService(store, "native");
  expect(await predict("it", PICTURE, { encoding: "jpeg" })).toMatchObject({
    status: 422,
    errors: [{ path: "parameters.encoding" }],
  });
  expect(await predict("it", PICTURE, { subtask: "panoptic" })).toMatchObject({
    status: 422,
    errors: [{ path: "parameters.subtask", message: "must be semantic for this model" }],
  });
  expect(await predict("it", [PICTURE, "no picture"])).toMatchObject({
    status: 422,
    errors: [{ path: "inputs[1]" }],
  });
  const small = { ...MANIFEST, name: "small", limits: { answerBytes: 300 } };
  await writePackage(store, { artifact, manifest: small });
  expect(await predict("small", PICTURE)).toMatchObject({ status: 507, code: "answer_too_large" });
});
