import { classLabels } from "./labels.ts";
import {
  floatOutput,
  integers,
  node,
  tensorValue,
  type OnnxGraph,
  type OnnxNode,
} from "./model.ts";
import { rewriteTextSteps } from "./text-steps.ts";
import { viewOf, type GraphView } from "./view.ts";

/** What was changed in a graph so that all runtimes have it. */
export interface Rewritten {
  /** A sentence for each change. */
  changes: string[];
  /** The labels of a ZipMap that was cut off, in the order of the scores. */
  labels?: (string | number)[] | undefined;
}

/**
 * Changes what ONNX Runtime Web lacks, such as ZipMap and locales that are not installed, and what converters are known
 * to write wrongly. Throws an Error where it cannot.
 */
export function rewriteGraph(graph: OnnxGraph): Rewritten {
  const changes = rewriteTextSteps(graph);
  let labels: Rewritten["labels"];
  for (const map of graph.node.filter(({ opType }) => opType === "ZipMap")) {
    labels = classLabels(map);
    changes.push(cutZipMap(graph, map, labels?.length ?? 0));
  }
  return { changes, labels };
}

/** Gives the tensor before a ZipMap in the place of its sequence of maps. */
function cutZipMap(graph: OnnxGraph, map: OnnxNode, width: number): string {
  const [tensor = ""] = map.input;
  const [sequence = ""] = map.output;
  graph.node = graph.node.filter((one) => one !== map);
  const at = graph.output.findIndex(({ name }) => name === sequence);
  const isOutput = graph.output.some(({ name }) => name === tensor);
  if (at >= 0) graph.output.splice(at, 1, ...(isOutput ? [] : [floatOutput(tensor, width)]));
  return `Its ZipMap was cut off: ${tensor}, the scores before it, takes the place of the output ${sequence}.`;
}

/**
 * Declares the shapes that a run gave, for the outputs that are declared otherwise: ONNX Runtime Web does not load such
 * a graph. Gives a sentence for each change.
 */
export function declareShapes(
  graph: OnnxGraph,
  outputs: readonly { name: string; shape: readonly number[] }[],
): string[] {
  return outputs.flatMap(({ name, shape }) => {
    const at = graph.output.findIndex((one) => one.name === name);
    const { elemType, shape: declared } = graph.output[at]?.type?.tensorType ?? {};
    // Without dimensions, any shape is declared.
    if (elemType === undefined || !declared || fits(declared.dim, shape)) return [];
    graph.output[at] = tensorValue(name, elemType, shape);
    return `Its output ${name} is declared as [${shape.join(", ")}], as a run gives it.`;
  });
}

function fits(declared: readonly { dimValue: bigint }[], shape: readonly number[]): boolean {
  return (
    declared.length === shape.length &&
    declared.every(({ dimValue }, axis) => dimValue === 0n || Number(dimValue) === shape[axis])
  );
}

/**
 * With `zipmap="columns"` skl2onnx cuts the scores into an output for each class. Gives the tensor before the cuts
 * in their place. Undefined where the graph is no such one.
 */
export function joinColumns(graph: OnnxGraph): string | undefined {
  const view = viewOf(graph);
  const columns = graph.output.map(({ name }) => ({ name, ...columnOf(view, name) }));
  const cut = columns.filter(({ column }) => column !== undefined);
  const [first] = cut;
  const tensor = first?.tensor;
  if (
    !tensor ||
    cut.length < 2 ||
    cut.some((one, at) => one.tensor !== tensor || one.column !== at)
  )
    return undefined;
  const names = cut.map(({ name }) => name);
  const kept = graph.output.filter(({ name }) => !names.includes(name));
  graph.output = [...kept, floatOutput(tensor, cut.length)];
  return `Its outputs ${names.join(", ")} are one again: ${tensor}, from which they were cut.`;
}

function columnOf(view: GraphView, output: string) {
  const reshape = view.producerOf(output);
  const slice = view.producerOf(reshape?.input[0] ?? "");
  if (reshape?.opType !== "Reshape" || slice?.opType !== "Slice") return undefined;
  const [tensor = "", starts = "", , axes = ""] = slice.input;
  const numberOf = (name: string): number | undefined => {
    const constant = view.constantOf(name);
    return constant && "numbers" in constant && constant.numbers.length === 1
      ? constant.numbers[0]
      : undefined;
  };
  return numberOf(axes) === 1 ? { tensor, column: numberOf(starts) } : undefined;
}

/**
 * skl2onnx picks the labels of a QuadraticDiscriminantAnalysis from a list, which gives them in one row [1, rows]. Makes
 * a list of them. Gives a sentence for each change.
 */
export function listLabels(graph: OnnxGraph): string[] {
  const view = viewOf(graph);
  return graph.output.flatMap(({ name, type }, at) => {
    const picker = view.producerOf(name);
    const labels = graph.initializer.find((one) => one.name === picker?.input[0]);
    if (picker?.opType !== "ArrayFeatureExtractor" || labels?.dims.length !== 1) return [];
    const [row, shape] = [`${name}_in_a_row`, `${name}_as_a_list`];
    picker.output = [row];
    graph.initializer.push(integers(shape, [-1]));
    graph.node.splice(graph.node.indexOf(picker) + 1, 0, node("Reshape", [row, shape], [name]));
    graph.output[at] = tensorValue(name, type?.tensorType?.elemType ?? 0, [-1]);
    return [`Its output ${name} is a list of labels, and no longer one row of them.`];
  });
}
