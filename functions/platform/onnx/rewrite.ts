import { classLabels } from "./labels.ts";
import { floatOutput, node, tensorValue, type OnnxGraph, type OnnxNode } from "./model.ts";
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
  changes.push(...countDimensions(graph));
  return { changes, labels };
}

/** Gives the tensors of a list, each as an output, in the place of an output that is the list. */
export function unpackLists(graph: OnnxGraph): string[] {
  const view = viewOf(graph);
  const changes: string[] = [];
  graph.output = graph.output.flatMap((output) => {
    const { elemType } = output.type?.sequenceType?.elemType?.tensorType ?? {};
    const list = listOf(view, output.name);
    if (elemType === undefined || !list) return [output];
    const names = list.input.map((_, at) => freeName(graph, `${output.name}_${at}`));
    graph.node.push(
      ...list.input.map((tensor, at) => node("Identity", [tensor], [names[at] ?? ""])),
    );
    changes.push(
      `Its output ${output.name}, a list, is given as its tensors: ${names.join(", ")}.`,
    );
    return names.map((name) => tensorValue(name, elemType));
  });
  return changes;
}

/**
 * ONNX Runtime Web 1.30 takes the Size of a Shape for the number of elements and not of dimensions. It then refuses the
 * graph. The Shape of the Shape says the same.
 */
function countDimensions(graph: OnnxGraph): string[] {
  const view = viewOf(graph);
  const counts = graph.node.filter(
    ({ opType, input }) => opType === "Size" && view.producerOf(input[0] ?? "")?.opType === "Shape",
  );
  for (const size of counts) {
    const [count = ""] = size.output;
    const list = `${count}_in_a_list`;
    const replacement = [node("Shape", size.input, [list]), node("Squeeze", [list], [count])];
    graph.node.splice(graph.node.indexOf(size), 1, ...replacement);
  }
  return counts.map(
    ({ output }) => `Its Size of a Shape, ${output[0]}, is the Shape of that Shape.`,
  );
}

/** The name, with lines under it where the graph has it already. */
export function freeName(graph: OnnxGraph, name: string): string {
  const tensors = [...graph.input, ...graph.initializer];
  const taken = new Set([
    ...tensors.map((one) => one.name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  let free = name;
  while (taken.has(free)) free += "_";
  return free;
}

/** The operator that makes a list of tensors. ONNX Runtime has not checked the graph yet: it may run in a circle. */
export function listOf(view: GraphView, name: string): OnnxNode | undefined {
  const seen = new Set<OnnxNode>();
  let producer = view.producerOf(name);
  while (producer?.opType === "Identity" && !seen.has(producer)) {
    seen.add(producer);
    producer = view.producerOf(producer.input[0] ?? "");
  }
  return producer?.opType === "SequenceConstruct" ? producer : undefined;
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
