import { expect, test } from "vitest";
import { toHalfFloats } from "../../functions/half-floats.ts";
import type { Limits } from "../../functions/model/limits.ts";
import type { CompiledTask } from "../../functions/tasks/define.ts";
import { compile as compileVectors } from "../../functions/tasks/feature-extraction/compile.ts";
import { compile as compileNumbers } from "../../functions/tasks/text-regression/compile.ts";
import type { Tensor } from "../../functions/tensor.ts";

// Graphs that were exported in half precision give FP16, others FP64.
const limits = { batch: 10, textLength: 100 } as Limits;
const TENSORS: Tensor[] = [
  { datatype: "FP16", shape: [1, 2], data: toHalfFloats([0.75, -1]) },
  { datatype: "FP64", shape: [1, 2], data: Float64Array.of(0.75, -1) },
];

function manifestOf({ datatype }: Tensor) {
  const inputs = [{ name: "text", datatype: "BYTES", shape: [-1] }];
  return { name: "it", inputs, outputs: [{ name: "y", datatype, shape: [-1, 2] }] };
}

function answers(task: CompiledTask, y: Tensor): unknown {
  return task.postprocess({ y }, { feeds: {}, rows: 1 }, {});
}

test.for(TENSORS)("a vector of $datatype is an array of numbers", (tensor) => {
  const task = compileVectors(manifestOf(tensor) as never, limits, new Map());
  expect(answers(task, tensor)).toEqual([[0.75, -1]]);
});

test.for(TENSORS)("numbers of $datatype are the answer of text regression", (tensor) => {
  const options = { labels: ["a", "b"], regression: { output: "y", activation: "none" } };
  const manifest = { ...manifestOf(tensor), ...options };
  const task = compileNumbers(manifest as never, limits, new Map());
  expect(answers(task, tensor)).toEqual([{ values: { a: 0.75, b: -1 } }]);
});
