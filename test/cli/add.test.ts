import { expect, test } from "vitest";
import { added } from "./added.ts";

const LIMIT_MS = 300_000;

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
