import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { emptyStore, openService, RUNTIMES, writePackage, type PackageParts } from "./service.ts";

// What a manifest may say about a classifier's outputs, and the answers that follow from it.
const GRAPHS = join(import.meta.dirname, "../cli/fixtures");

const number = (name: string) => ({ name, type: "number" });
const tensor = (name: string, datatype: string, width: number) => ({
  name,
  datatype,
  shape: [-1, width],
});

const LINE = {
  name: "line",
  task: "tabular-classification",
  inputs: [tensor("row", "FP32", 3)],
  outputs: [tensor("value", "FP32", 1)],
  features: [number("a"), number("b"), number("c")],
  labels: ["no", "yes"],
};
const HALF = {
  name: "half",
  task: "tabular-classification",
  inputs: [tensor("x", "FP16", 2)],
  outputs: [tensor("y", "FP16", 2)],
  features: [number("a"), number("b")],
  labels: ["no", "yes"],
};

async function answers(graph: string, manifest: PackageParts["manifest"], inputs: unknown) {
  const store = await emptyStore();
  await writePackage(store, { artifact: await readFile(join(GRAPHS, graph)), manifest });
  return Promise.all(
    RUNTIMES.map((runtime) => openService(store, runtime).predict(manifest.name, inputs)),
  );
}

describe("one number for two labels", () => {
  test("is the second label's probability after a sigmoid", async () => {
    const scores = { output: "value", activation: "sigmoid" };
    const manifest = { ...LINE, scores };
    for (const { outputs } of await answers("line-1.onnx", manifest, [
      [1, 1, 1],
      [-1, -1, -1],
    ])) {
      const yes = 1 / (1 + Math.exp(-3));
      expect(outputs).toMatchObject([{ label: "yes" }, { label: "no" }]);
      const [first] = outputs as { score: number; scores: Record<string, number> }[];
      expect(first?.score).toBeCloseTo(yes, 5);
      expect(first?.scores["no"]).toBeCloseTo(1 - yes, 5);
    }
  });

  test("is a decision value where the manifest says so", async () => {
    const scores = { output: "value", activation: "none", kind: "decision-values" };
    for (const { outputs } of await answers("line-1.onnx", { ...LINE, scores }, [
      [1, 1, 1],
      [-1, -1, -1],
    ]))
      expect(outputs).toEqual([
        { label: "yes", decision_values: { yes: 3 } },
        { label: "no", decision_values: { yes: -3 } },
      ]);
  });

  test("has no softmax", async () => {
    const scores = { output: "value", activation: "softmax" };
    for (const { status } of await answers("line-1.onnx", { ...LINE, scores }, [[1, 1, 1]]))
      expect(status).toBe(502);
  });
});

test("half-precision scores are numbers", async () => {
  const scores = { output: "y", activation: "none" };
  for (const { outputs } of await answers("half.onnx", { ...HALF, scores }, [[0.25, 0.5]]))
    expect(outputs).toEqual([{ label: "yes", score: 0.5, scores: { yes: 0.5, no: 0.25 } }]);
});

describe("the graph's own label", () => {
  const outputs = [{ name: "label", datatype: "INT64", shape: [-1] }, tensor("scores", "FP32", 3)];
  const base = {
    name: "own",
    task: "tabular-classification",
    inputs: [tensor("row", "FP32", 2)],
    outputs,
    features: [number("a"), number("b")],
    labels: ["x", "y", "z"],
    scores: { output: "scores", activation: "none" },
  };

  test("is the answer's, whatever the scores say", async () => {
    // The values have another order than the scores. This shows which of the two decides.
    const label = { output: "label", values: [2, 0, 1] };
    for (const { outputs: said } of await answers("probabilities.onnx", { ...base, label }, [
      [1, 2],
    ])) {
      const [answer] = said as { label: string; score: number; scores: Record<string, number> }[];
      const [highest] = Object.keys(answer?.scores ?? {});
      expect(answer?.label).not.toBe(highest);
      expect(answer?.score).toBe(answer?.scores[answer.label]);
    }
  });

  test("alone is an answer", async () => {
    const label = { output: "label", values: [0, 1, 2] };
    const { scores: _scores, ...alone } = { ...base, label };
    for (const { outputs: said } of await answers("probabilities.onnx", alone, [[1, 2]]))
      expect(Object.keys((said as object[])[0] ?? {})).toEqual(["label"]);
  });

  test("that is none of the labels is the package's mistake", async () => {
    const label = { output: "label", values: [7, 8, 9] };
    for (const answer of await answers("probabilities.onnx", { ...base, label }, [[1, 2]]))
      expect(answer).toMatchObject({ status: 502, code: "model_corrupt" });
  });
});
