import { writeOnnx } from "../../functions/platform/onnx/model.ts";
import { swapFirstTwo } from "../../functions/platform/onnx/swap-dimensions.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { numbersOf, type Tensor, type Tensors } from "../../functions/tensor.ts";
import { isFloat } from "./classifier.ts";
import { only } from "./only.ts";
import { probe } from "./probe.ts";

/** The output of a graph that reads text. */
export interface RecognitionEnd {
  /** The graph, in which the pictures are the output's first dimension. */
  graph: Graph;
  output: TensorInfo;
  /** How many classes its numbers are of. Undefined where it gives classes. */
  classes?: number;
  activation?: "softmax" | "none";
}

/**
 * Finds the output with the steps of a text, by runs with made-up pictures of the greatest and of the least width. Throws an
 * Error where the graph does not run with them, or has no such output.
 */
export async function recognitionEndOf(
  graph: Graph,
  input: TensorInfo,
  widths: { least: number; most: number },
): Promise<RecognitionEnd> {
  // A long text shows which dimension is the steps.
  const tensors = await runOf(graph, input, widths.most);
  if (input.shape.includes(-1, 1)) await runOf(graph, input, widths.least);
  const shapeOf = ({ name }: TensorInfo) => tensors[name]?.shape ?? [];
  const numbers = graph.outputs.filter((one) => isFloat(one) && shapeOf(one).length === 3);
  const classes = graph.outputs.filter(
    (one) => ["INT64", "INT32"].includes(one.datatype) && shapeOf(one).length === 2,
  );
  const output = only(
    numbers.length > 0 ? numbers : classes,
    "one output [pictures, steps, classes] or [steps, pictures, classes] of floating-point numbers, or [pictures, steps] of integers",
    graph.outputs,
  );
  const made = tensors[output.name] as Tensor;
  const [first = 0, second = 0, width = 0] = made.shape;
  if (numbers.length === 0) {
    if (first !== 1) throw notOfPictures(output, made);
    return { graph, output: { ...output, shape: sizes(output, [-1, -1]) } };
  }
  const activation = areProbabilities(made, width) ? "none" : "softmax";
  const end = { classes: width, activation } as const;
  const shape = [-1, -1, width];
  if (first === 1) return { graph, output: { ...output, shape: sizes(output, shape) }, ...end };
  if (second !== 1) throw notOfPictures(output, made);
  const { name, ...swapped } = picturesFirst(graph, output, width);
  return { ...swapped, output: { ...output, name, shape }, ...end };
}

async function runOf(graph: Graph, input: TensorInfo, width: number): Promise<Tensors> {
  const shape = [1, ...input.shape.slice(1).map((size) => (size === -1 ? width : size))];
  const tensors = await probe(graph, [{ ...input, shape }]);
  if (tensors) return tensors;
  throw new Error(
    `${graph.path} does not run with a picture of [${shape.join(", ")}]. Say how wide pictures may be: with --image, and --least-width.`,
  );
}

/** The sizes that the graph declares, or these. */
function sizes({ shape }: TensorInfo, others: readonly number[]): number[] {
  return others.map((other, axis) => (other === -1 ? (shape[axis] ?? -1) : other));
}

function notOfPictures({ name }: TensorInfo, { shape }: Tensor): Error {
  return new Error(
    `The output ${name} is [${shape.join(", ")}] for one picture, so that none of its first two dimensions is the pictures.`,
  );
}

function picturesFirst(graph: Graph, { name }: TensorInfo, width: number) {
  const { model, changes, path } = graph;
  if (!model?.graph)
    throw new Error(
      `${path}: its output ${name} must have the pictures in its first dimension, and a file in ORT format cannot be changed. Add the .onnx file.`,
    );
  const swapped = swapFirstTwo(model.graph, name, width);
  const change = `Its output ${name} is given as ${swapped}, with the pictures in its first dimension.`;
  return {
    name: swapped,
    graph: { ...graph, bytes: writeOnnx(model), changes: [...changes, change] },
  };
}

/** Whether the numbers of each step are from 0 to 1 and add up to 1. */
function areProbabilities({ data }: Tensor, width: number): boolean {
  const numbers = numbersOf(data) ?? [];
  let sum = 0;
  for (const [at, value] of numbers.entries()) {
    if (!(value >= 0)) return false;
    sum += value;
    if ((at + 1) % width > 0) continue;
    if (Math.abs(sum - 1) > 1e-3) return false;
    sum = 0;
  }
  return true;
}
