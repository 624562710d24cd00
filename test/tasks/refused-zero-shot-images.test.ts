import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { PICTURE } from "../../functions/tasks/image/options.ts";
import type { ScoredLabel } from "../../functions/tasks/zero-shot-classification/answers.ts";
import { zeroShotImageClassification } from "../../functions/tasks/zero-shot-image-classification/task.ts";
import { capturedInputs, capturedText } from "../capture/capturing.ts";
import { openService } from "./service.ts";
import { addedModels, pictures } from "./zero-shot-images.ts";

const models = await addedModels();
afterAll(() => rm(models, { recursive: true }));
const service = openService(models, "native", { DYNAMIC_BATCHING: "clip:64,siglip:64" });
const { predict, post } = service;

const candidate_labels = ["a cat", "two dogs"];
const own = { image: PICTURE, candidate_labels };
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `label ${at}`);
const LABELS = "parameters.candidate_labels";

test.each([
  [PICTURE, {}, LABELS, "is missing, and the input has none"],
  [PICTURE, { candidate_labels: [] }, LABELS, ""],
  [PICTURE, { candidate_labels: "a cat" }, LABELS, ""],
  [PICTURE, { candidate_labels: ["a", 5] }, `${LABELS}.1`, ""],
  [
    PICTURE,
    { candidate_labels: ["a", "b", "a"] },
    `${LABELS}[2]`,
    "same label as candidate_labels[0]",
  ],
  [PICTURE, { candidate_labels: ["a", " "] }, `${LABELS}[1]`, "must not be empty"],
  [PICTURE, { candidate_labels: numbered(1001) }, LABELS, "at most 1000 labels, has 1001"],
  [
    PICTURE,
    { candidate_labels: ["a", "cat ".repeat(50)] },
    `${LABELS}[1]`,
    "tokens, of at most 40",
  ],
  [
    PICTURE,
    { candidate_labels, hypothesis_template: "a photo" },
    "parameters.hypothesis_template",
    "{}",
  ],
  [
    PICTURE,
    { candidate_labels, hypothesis_template: "{}{}" },
    "parameters.hypothesis_template",
    "",
  ],
  [
    PICTURE,
    { candidate_labels, hypothesis_template: `{} ${"cat ".repeat(40)}` },
    `${LABELS}[0]`,
    "with the template it has",
  ],
  [PICTURE, { candidate_labels, multi_label: true }, "parameters", ""],
  [
    Array.from({ length: 501 }, () => PICTURE),
    { candidate_labels },
    "inputs",
    "at most 1000 labels in all, have 1002",
  ],
  [{ ...own, candidate_labels: ["a", null] }, {}, "inputs.candidate_labels[1]", "must be a string"],
  [{ ...own, candidate_labels: "a" }, {}, "inputs.candidate_labels", "must be an array"],
  [
    [own, { ...own, candidate_labels: ["b", "b"] }],
    {},
    "inputs[1].candidate_labels[1]",
    "same label",
  ],
  [{ ...own, labels: [] }, {}, "inputs.labels", "is neither image nor candidate_labels"],
  [{ candidate_labels }, {}, "inputs.image", "must be an image as a base64 string"],
  [[own, { ...own, image: "AAAA" }], {}, "inputs[1].image", "must be a JPEG, PNG or WebP image"],
  [[[PICTURE]], { candidate_labels }, "inputs[0]", "must be an image as a base64 string"],
  [5, { candidate_labels }, "inputs", "must be an image as a base64 string"],
  [null, { candidate_labels }, "inputs", "must be an image as a base64 string"],
])("refuses %.60j with %.90j", async (inputs, parameters, path, message) => {
  const { status, errors } = await predict("clip", inputs, parameters);
  expect(status).toBe(422);
  expect(errors[0]?.path).toBe(path);
  expect(errors[0]?.message).toContain(message);
});

test("labels are read before a picture is decoded, and must be paid for by the bytes that came", async () => {
  const refused = await predict("clip", "no picture", { candidate_labels: ["a", "a"] });
  expect(refused.errors).toEqual([
    { path: `${LABELS}[1]`, message: "is the same label as candidate_labels[0]" },
  ]);
  const parameters = {
    candidate_labels: ["a"],
    hypothesis_template: `{} ${"a".repeat(262_144)}`,
  };
  const body = gzipSync(JSON.stringify({ inputs: PICTURE, parameters }));
  const headers = { "Content-Encoding": "gzip" };
  const long = await post("/v1/models/clip/predict", Uint8Array.from(body), headers);
  expect(long.status).toBe(422);
  expect(long.errors[0]?.path).toBe(`${LABELS}[0]`);
  expect(long.errors[0]?.message).toContain("characters in");
});

test.each([
  ["clip", 40],
  ["siglip", 64],
])(
  "a client's own tensors for %s have no more tokens than a run of the task",
  async (model, width) => {
    const manifest = JSON.parse(
      await readFile(join(models, model, "1/model.json"), "utf8"),
    ) as Manifest;
    const ask = (texts: number) => {
      const inputs = manifest.inputs.map(({ name, datatype, shape }) => {
        const own = shape.length === 4 ? [1, ...shape.slice(1)] : [texts, width];
        const data = Array<number>(own.reduce((product, size) => product * size, 1)).fill(1);
        return { name, datatype, shape: own, data };
      });
      return post(`/v2/models/${model}/infer`, JSON.stringify({ inputs }));
    };
    const most = Math.floor(8192 / width);
    expect(await ask(most)).toMatchObject({ status: 200 });
    const refused = await ask(most + 1);
    expect(refused.status).toBe(422);
    expect(refused.errors[0]?.message).toContain(`at most [${most}, ${width}]`);
  },
);

test("of many mistakes, the first hundred are looked for", async () => {
  const wrong = { image: PICTURE, candidate_labels: Array<number>(1000).fill(0) };
  const { detail, errors } = await predict(
    "clip",
    Array.from({ length: 10 }, () => wrong),
  );
  expect(errors).toHaveLength(100);
  expect(detail).toContain("(and at least 99 more)");
});

test("labels are not captured where the manifest redacts them", async () => {
  const path = join(models, "clip/1/model.json");
  const before = await readFile(path, "utf8");
  const capture = { rate: 1, redact: ["candidate_labels", "image"], retentionDays: 1 };
  onTestFinished(() => writeFile(path, before));
  await writeFile(path, JSON.stringify({ ...(JSON.parse(before) as object), capture }));
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const capturing = createService(platform);
  await capturing.predict({ model: "clip", inputs: own });
  await capturing.flushCaptured();
  const [line] = await capturedInputs(platform.store, "clip");
  const score = expect.any(Number) as number;
  expect(line).toMatchObject({ input: {}, output: [{ score }, { score }] });
  expect(await capturedText(platform.store, "clip")).not.toMatch(/a cat|two dogs/);
});

test.each([
  ["a file", [{ b64: PICTURE }], "are for /v1/models/clip/predict"],
  ["a picture with labels", [own], "are for /v1/models/clip/predict"],
  ["many rows", Array<number>(1001).fill(0), "must have at most 1000 inputs, has 1001"],
])(":predict of TensorFlow Serving refuses %s", async (_, instances, message) => {
  const { status, errors } = await post("/v1/models/clip:predict", JSON.stringify({ instances }));
  expect(status).toBe(422);
  expect(errors[0]?.message).toContain(message);
});

test("each label of each picture is charged as a row, and a picture's pixels once", async () => {
  await predict("clip", [PICTURE, PICTURE, PICTURE], { candidate_labels });
  expect(service.logs.at(-1)).toMatchObject({ rows: 6, pixels: 3 * 32 * 32 });
  // So many labels are several runs, and have the same picture.
  const { outputs } = await predict("siglip", PICTURE, { candidate_labels: numbered(300) });
  expect(service.logs.at(-1)).toMatchObject({ rows: 300, pixels: 32 * 32 });
  expect(outputs).toHaveLength(300);
});

test("a label has the same score in many runs as alone, and of equal ones the first goes before", async () => {
  const labels = numbered(300);
  const { outputs } = await predict("siglip", pictures.slice(0, 2), { candidate_labels: labels });
  const [first, second] = outputs as ScoredLabel[][];
  for (const label of ["label 0", "label 150", "label 299"]) {
    const alone = await predict("siglip", pictures[1], { candidate_labels: [label] });
    const score = second?.find((one) => one.label === label)?.score;
    expect((alone.outputs as ScoredLabel[])[0]?.score).toBeCloseTo(score ?? NaN, 5);
  }
  expect(first).not.toEqual(second);
  const tied = await predict("clip", PICTURE, { candidate_labels: ["Cat", "cat", "CAT"] });
  expect((tied.outputs as ScoredLabel[]).map(({ label }) => label)).toEqual(["Cat", "cat", "CAT"]);
});

test("requests at a time keep their pictures apart, also where runs are joined", async () => {
  const asked: [model: string, at: number, labels: string[]][] = [
    ["clip", 0, ["red bus", "two dogs"]],
    ["clip", 1, ["a cat", "two dogs"]],
    // One picture and one label: as many rows in each input.
    ...[0, 1, 2].map((at): [string, number, string[]] => ["siglip", at, ["x"]]),
  ];
  const ask = async ([model, at, labels]: (typeof asked)[number]) =>
    (await predict(model, pictures[at], { candidate_labels: labels })).outputs;
  const alone: unknown[] = [];
  for (const one of asked) alone.push(await ask(one));
  expect(await Promise.all(asked.map(ask))).toEqual(alone);
});

test.each([
  [{ batchDimension: 0 }, "needs batchDimension null"],
  [{ zeroShot: { output: "text_embeds", activation: "softmax" } }, "zeroShot.output must name"],
  [{ text: undefined }, "needs text with a tokenizer"],
  [{ outputs: [{ name: "logits_per_image", datatype: "FP32", shape: [-1, 3] }] }, "[-1, -1]"],
])("a manifest with %j is refused", async (fields, reason) => {
  const path = join(models, "clip-text/1/model.json");
  const before = await readFile(path, "utf8");
  const joint = JSON.parse(await readFile(join(models, "clip/1/model.json"), "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...joint, name: "clip-text", ...fields }));
  const local = await openPackage(models, { name: "clip-text", version: "1" });
  const predictor = await openPredictor(local, "native");
  await expect(predictor.predict(own)).rejects.toMatchObject({
    cause: { message: expect.stringContaining(reason) as string },
  });
  await writeFile(path, before);
});

test("the best labels are judged", async () => {
  const quality = await zeroShotImageClassification.quality?.({} as never, { k: 1 });
  expect(quality?.problemWith?.(5)).toContain("one of the labels");
  const answers = [[{ label: "good", score: 0.9 }], [{ label: "good", score: 0.6 }]];
  expect(quality?.metrics(["good", "bad"], answers)).toMatchObject({ accuracy: 0.5 });
});
