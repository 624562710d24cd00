import { expect, test } from "vitest";
import { added } from "./added.ts";

const LIMIT_MS = 300_000;

test(
  "a classifier that gives logits gets the activation that --scores says",
  async () => {
    const args = ["logits.onnx", "--features", "a,b", "--labels", "x,y,z"] as const;
    const asked = await added(...args, "--scores", "softmax");
    expect(asked["scores"]).toEqual({ output: "scores", activation: "softmax" });
    // Without `--scores` they are decision values.
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
