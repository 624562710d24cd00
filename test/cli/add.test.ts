import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPredictor } from "../../cli/predictor.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { fixture, nearcast, root, snapshot, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;

/** Adds a fixture, verifies it on both runtimes and gives its manifest. */
async function added(path: string, ...args: string[]): Promise<Record<string, unknown>> {
  const models = await temporaryFolder();
  await succeed(["add", fixture(path), "--name", "it", "--models", models, ...args]);
  await succeed(["verify", "it", "--record", "--models", models]);
  return JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as Record<
    string,
    unknown
  >;
}

test(
  "a graph becomes a tensor model with its inputs and outputs",
  async () => {
    expect(await added("line-1.onnx")).toMatchObject({
      task: "tensor",
      inputs: [{ name: "row", datatype: "FP32", shape: [-1, 3] }],
      outputs: [{ name: "value", datatype: "FP32", shape: [-1, 1] }],
      examples: [
        { input: { row: [[-1, -0.125, 0.75]] }, output: { value: [[-0.375]] } },
        { input: { row: [[-0.125, 0.75, -0.375]] }, output: { value: [[0.25]] } },
      ],
    });
  },
  LIMIT_MS,
);

test(
  "of a classifier with a label and probabilities, the probabilities answer",
  async () => {
    const manifest = await added("probabilities.onnx", "--features", "a,b", "--labels", "x,y,z");
    expect(manifest).toMatchObject({
      task: "tabular-classification",
      outputs: [
        { name: "label", datatype: "INT64", shape: [-1] },
        { name: "scores", shape: [-1, 3] },
      ],
      labels: ["x", "y", "z"],
      label: { output: "label", values: [0, 1, 2] },
      scores: { output: "scores", activation: "none" },
    });
  },
  LIMIT_MS,
);

test(
  "a classifier that gives logits gets the activation that --scores says",
  async () => {
    const args = ["logits.onnx", "--features", "a,b", "--labels", "x,y,z"] as const;
    const asked = await added(...args, "--scores", "softmax");
    expect(asked["scores"]).toEqual({ output: "scores", activation: "softmax" });
    // Without it they are called what they are.
    expect((await added(...args))["scores"]).toEqual({
      output: "scores",
      activation: "none",
      kind: "decision-values",
    });
  },
  LIMIT_MS,
);

test(
  "a graph of half-precision numbers becomes a tensor model",
  async () => {
    expect(await added("half.onnx")).toMatchObject({
      task: "tensor",
      inputs: [{ name: "x", datatype: "FP16", shape: [-1, 2] }],
      examples: [
        { input: { x: [[-1, -0.125]] }, output: { y: [[0, 0]] } },
        { input: { x: [[-0.125, 0.75]] }, output: { y: [[0, 0.75]] } },
      ],
    });
  },
  LIMIT_MS,
);

test(
  "weights in a file of their own stay there",
  async () => {
    const { artifact } = (await added("external/model.onnx")) as { artifact: object };
    expect(artifact).toMatchObject({
      file: "model.onnx",
      externalData: [{ file: "model.data", bytes: 16384 }],
    });
  },
  LIMIT_MS,
);

test(
  "a Hugging Face text export brings its labels and tokenizer",
  async () => {
    const manifest = await added("text-export");
    expect(manifest).toMatchObject({
      task: "text-classification",
      labels: ["negative", "positive"],
      scores: { output: "logits", activation: "softmax" },
      text: {
        tokenizer: "tokenizer.json",
        tokenizerConfig: "tokenizer_config.json",
        maxLength: 32,
      },
      assets: [{ file: "tokenizer.json" }, { file: "tokenizer_config.json" }],
    });
  },
  LIMIT_MS,
);

test(
  "a Hugging Face image export brings its preprocessing",
  async () => {
    const manifest = await added("image-export");
    expect(manifest).toMatchObject({
      task: "image-classification",
      labels: ["red", "green", "blue"],
      inputs: [{ name: "pixel_values", shape: [-1, 3, 16, 16] }],
      image: {
        width: 16,
        height: 16,
        color: "rgb",
        layout: "NCHW",
        resample: "bilinear",
        scale: 1 / 255,
        mean: [0.5, 0.4, 0.3],
        std: [0.5, 0.5, 0.5],
      },
    });
  },
  LIMIT_MS,
);

/** The image fixture's export with other steps before the model. */
async function imageExport(settings: object): Promise<string> {
  const folder = await temporaryFolder();
  await cp(fixture("image-export"), folder, { recursive: true });
  const path = join(folder, "preprocessor_config.json");
  const given = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...given, ...settings }));
  return folder;
}

test.for([
  [
    "shortest edge",
    { size: { shortest_edge: 18 }, do_center_crop: true, crop_size: 16 },
    { shortestEdge: 18 },
  ],
  [
    "fixed size",
    {
      size: { height: 18, width: 20 },
      do_center_crop: true,
      crop_size: { height: 16, width: 16 },
    },
    { height: 18, width: 20 },
  ],
  [
    "ConvNeXT's",
    {
      size: { shortest_edge: 16 },
      image_processor_type: "ConvNextImageProcessor",
      crop_pct: 0.875,
    },
    { shortestEdge: 18 },
  ],
] as const)(
  "an image export that crops the centre brings that: %s",
  { timeout: LIMIT_MS },
  async ([, settings, resize]) => {
    const models = await temporaryFolder();
    await succeed(["add", await imageExport(settings), "--name", "it", "--models", models]);
    await succeed(["verify", "it", "--record", "--models", models]);
    const { manifest } = await openPackage(models, { name: "it" });
    expect(manifest).toMatchObject({ image: { width: 16, height: 16, resize } });
  },
);

test.for([
  [{ size: { shortest_edge: 16 } }, "images of different sizes"],
  [{ size: { shortest_edge: 16 }, do_center_crop: true, crop_size: 18 }, "does not pad"],
  [{ size: { shortest_edge: 16 }, do_center_crop: true }, "needs crop_size"],
  [{ size: 16, do_center_crop: true, crop_size: 16 }, "size must say shortest_edge"],
  [{ do_flip_channel_order: true }, "do_flip_channel_order"],
  [{ image_processor_type: "LevitImageProcessor" }, "the steps of LevitImageProcessor"],
  [{ sharpen: 2 }, 'does not know the setting "sharpen": 2'],
  [{ do_pad: true }, '"do_pad": true is not supported'],
  [{ size: { height: 16, width: 16, longest_edge: 20 } }, "size"],
  [{ image_mean: null }, "does not say image_mean"],
  [{ image_std: [0.5] }, "image_mean has 3 channels, image_std 1"],
  [{ image_processor_type: "EfficientNetImageProcessor" }, "include_top"],
  [{ image_processor_type: "CLIPFeatureExtractor" }, "needs crop_size"],
] as const)("an image export with %j is refused with the reason", async ([settings, reason]) => {
  await expectRefused(await imageExport(settings), reason);
});

interface Row {
  text: string;
  mean: number[];
  cls: number[];
}

/** An export folder as sentence-transformers and optimum write it, around the BERT-shaped fixture. */
async function vectorExport(files: Record<string, unknown>): Promise<string> {
  const folder = await temporaryFolder();
  for (const file of ["model.onnx", "model.onnx_data"])
    await cp(join(root, "test/fixtures/bert", file), join(folder, file));
  const tokenizer = join(root, "test/fixtures/tokenizers/wordpiece.json");
  const all = {
    "config.json": { architectures: ["BertModel"], max_position_embeddings: 128 },
    "tokenizer.json": JSON.parse(await readFile(tokenizer, "utf8")) as unknown,
    "tokenizer_config.json": { model_max_length: 16, pad_token: "[PAD]" },
    ...files,
  };
  await mkdir(join(folder, "1_Pooling"));
  for (const [file, content] of Object.entries(all))
    await writeFile(join(folder, file), JSON.stringify(content));
  return folder;
}

function modules(...types: string[]) {
  return types.map((type, idx) => ({ idx, type: `sentence_transformers.models.${type}` }));
}

test.for([
  ["mean", false],
  ["cls", true],
] as const)(
  "a Hugging Face export for sentence vectors brings its pooling: %s, length one: %s",
  { timeout: LIMIT_MS },
  async ([pooling, normalize]) => {
    const folder = await vectorExport({
      "modules.json": modules("Transformer", "Pooling", ...(normalize ? ["Normalize"] : [])),
      "1_Pooling/config.json": {
        word_embedding_dimension: 16,
        pooling_mode_cls_token: pooling === "cls",
        pooling_mode_mean_tokens: pooling === "mean",
        pooling_mode_max_tokens: false,
      },
    });
    const models = await temporaryFolder();
    await succeed(["add", folder, "--name", "vectors", "--models", models]);
    await succeed(["verify", "vectors", "--record", "--models", models]);
    const local = await openPackage(models, { name: "vectors" });
    expect(local.manifest).toMatchObject({
      task: "feature-extraction",
      outputs: [{ name: "last_hidden_state", shape: [-1, -1, 16] }],
      text: { tokenizer: "tokenizer.json", maxLength: 16, pooling, normalize },
      artifact: { externalData: [{ file: "model.onnx_data" }] },
    });
    const path = join(root, "test/fixtures/bert/expected.json");
    const rows = JSON.parse(await readFile(path, "utf8")) as Row[];
    for (const runtime of ["native", "wasm"] as const) {
      const texts = rows.map(({ text }) => text);
      const predictor = await openPredictor(local, runtime);
      const vectors = (await predictor.predict(texts)) as number[][];
      for (const [index, row] of rows.entries()) {
        const length = normalize ? Math.hypot(...row[pooling]) : 1;
        for (const [at, value] of row[pooling].entries())
          expect(vectors[index]?.[at]).toBeCloseTo(value / length, 4);
      }
    }
  },
);

const wordpiece = JSON.parse(
  await readFile(join(root, "test/fixtures/tokenizers/wordpiece.json"), "utf8"),
) as { added_tokens: object[] };

test.for([
  [
    "a layer behind the pooling",
    { "modules.json": modules("Transformer", "Pooling", "Dense") },
    "Dense",
  ],
  [
    "two poolings at once",
    { "1_Pooling/config.json": { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true } },
    "pooling_mode_cls_token and pooling_mode_mean_tokens",
  ],
  [
    "a charsmap of SentencePiece",
    {
      "tokenizer.json": {
        ...wordpiece,
        normalizer: { type: "Sequence", normalizers: [{ type: "Precompiled" }] },
      },
    },
    "Precompiled",
  ],
  [
    "added tokens that must be single words",
    {
      "tokenizer.json": {
        ...wordpiece,
        added_tokens: wordpiece.added_tokens.map((token) => ({ ...token, single_word: true })),
      },
    },
    "single_word",
  ],
] as const)("an export with %s is refused with the reason", async ([, files, reason]) => {
  await expectRefused(await vectorExport(files), reason);
});

/** The command refuses the export, says why, and writes nothing. */
async function expectRefused(folder: string, reason: string): Promise<void> {
  const models = await temporaryFolder();
  const outcome = await nearcast(["add", folder, "--name", "it", "--models", models]);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain(reason);
  expect(await snapshot(models)).toEqual({});
}
