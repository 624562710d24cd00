import { labelsOfScores } from "./labels.ts";
import {
  floatOutput,
  integerAttribute,
  integers,
  node,
  tensorValue,
  type OnnxGraph,
  type OnnxNode,
  type OnnxValue,
} from "./model.ts";
import { listOf } from "./rewrite.ts";
import { viewOf, type GraphView } from "./view.ts";

/** Changes the outputs of a classifier so that there is one of labels and one of scores. Gives a sentence for each change. */
export function rewriteClassifier(graph: OnnxGraph): string[] {
  const joined = joinColumns(graph);
  return [
    ...(joined === undefined ? [] : [joined]),
    ...listLabels(graph),
    ...joinIndependent(graph),
  ];
}

/**
 * For independent labels scikit-learn gives two probabilities for each: of 0 and of 1. Trees and neighbours stack them,
 * [labels, rows, 2]; a MultiOutputClassifier has a list of [rows, 2]. Makes one output [rows, labels] of those of 1.
 */
function joinIndependent(graph: OnnxGraph): string[] {
  const view = viewOf(graph);
  return graph.output.flatMap((output, at) => {
    const joined = `${output.name}_of_1`;
    const [pick, size] = [`${joined}_column`, stackedLabels(output)];
    const list = listOf(view, output.name)?.input ?? [];
    const isList =
      list.length > 1 && list.every((one) => labelsOfScores(view, one)?.join() === "0,1");
    const count = isList ? list.length : size;
    if (count === undefined || !saysEach(graph, count)) return [];
    const index = integers(pick, [1]);
    // Of a stack, one index without dimensions takes the dimension away.
    if (!isList) index.dims = [];
    graph.initializer.push(index);
    graph.node.push(
      ...(isList ? columnsOfList(list, pick, joined) : columnOfStack(output.name, pick, joined)),
    );
    const { tensorType, sequenceType } = output.type ?? {};
    const { elemType = 0 } = tensorType ?? sequenceType?.elemType?.tensorType ?? {};
    graph.output[at] = tensorValue(joined, elemType, [-1, count]);
    return [
      `Its output ${output.name}, two probabilities for each label by itself, is ${joined}: that of 1 for each.`,
    ];
  });
}

/** How many labels an output of the shape [labels, rows, 2] has. Undefined for other outputs. */
function stackedLabels({ type }: OnnxValue): number | undefined {
  const sizes = type?.tensorType?.shape?.dim.map(({ dimValue }) => Number(dimValue)) ?? [];
  const [labels = 0, rows, each] = sizes;
  return sizes.length === 3 && labels > 1 && rows === 0 && each === 2 ? labels : undefined;
}

/** TensorProto.DataType of float32, float16 and float64. */
const FLOATS = new Set([1, 10, 11]);

/** Whether an output says of so many labels, each by itself, whether it is there. */
function saysEach({ output }: OnnxGraph, count: number): boolean {
  return output.some(({ type }) => {
    const { elemType = 0, shape } = type?.tensorType ?? {};
    const [, labels] = shape?.dim ?? [];
    return shape?.dim.length === 2 && Number(labels?.dimValue) === count && !FLOATS.has(elemType);
  });
}

function columnsOfList(list: readonly string[], pick: string, joined: string): OnnxNode[] {
  const columns = list.map((_, at) => `${joined}_${at}`);
  const axis = [integerAttribute("axis", 1)];
  return [
    ...list.map((one, at) => node("Gather", [one, pick], [columns[at] ?? ""], axis)),
    node("Concat", columns, [joined], axis),
  ];
}

/** A Transpose turns the order of all dimensions: [2, rows, labels]. */
function columnOfStack(stack: string, pick: string, joined: string): OnnxNode[] {
  const turned = `${joined}_turned`;
  return [node("Transpose", [stack], [turned]), node("Gather", [turned, pick], [joined])];
}

/**
 * With `zipmap="columns"` skl2onnx cuts the scores into an output for each class. Gives the tensor before the cuts
 * in their place. Undefined where the graph is no such one.
 */
function joinColumns(graph: OnnxGraph): string | undefined {
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
function listLabels(graph: OnnxGraph): string[] {
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
