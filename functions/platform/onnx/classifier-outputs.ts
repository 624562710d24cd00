import { floatOutput, integers, node, tensorValue, type OnnxGraph } from "./model.ts";
import { viewOf, type GraphView } from "./view.ts";

/** Changes the outputs of a classifier so that there is one of labels and one of scores. Gives a sentence for each change. */
export function rewriteClassifier(graph: OnnxGraph): string[] {
  const joined = joinColumns(graph);
  return [...(joined === undefined ? [] : [joined]), ...listLabels(graph)];
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
