import type { LabelOptions, ScoresOptions } from "../../functions/tasks/classification/options.ts";
import type { Tensors } from "../../functions/tensor.ts";
import { knownMistake } from "../onnx/converters.ts";
import { isComputed, labelsOf, labelsOfScores } from "../../functions/platform/onnx/labels.ts";
import type { GraphView } from "../../functions/platform/onnx/view.ts";
import { checkedScores } from "./check-scores.ts";
import { agreedLabels } from "./graph-labels.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { only } from "./only.ts";
import { meaningOf, type ScoresFlag } from "./score-meaning.ts";
import { withTrueShapes } from "./true-shapes.ts";

/** What a classifier's manifest says about its outputs. */
export interface Classifier {
  outputs: TensorInfo[];
  labels: string[];
  label?: LabelOptions;
  scores?: ScoresOptions;
}

interface Given {
  /** The graph's inputs, with the number of columns that the features give them. */
  inputs: TensorInfo[];
  labels?: readonly string[] | undefined;
  scores?: ScoresFlag | undefined;
}

/** The graph's own label: an output of texts, of booleans, or of numbers that are no scores. */
export function labelOutputOf({ view, outputs }: Graph): TensorInfo | undefined {
  const found = outputs.filter(
    ({ name, datatype, shape }) =>
      !isFloat({ datatype }) && shape.length <= 2 && (!view || isComputed(view, name)),
  );
  return found.find(({ name }) => view && labelsOf(view, name)) ?? found[0];
}

/**
 * Reads the outputs of a classifier, and corrects the shapes that its graph declares. Throws an Error that says what
 * does not fit, or what the graph does not show.
 */
export async function classifierOf(
  graph: Graph,
  given: Given,
): Promise<{ graph: Graph; classifier: Classifier }> {
  const { graph: corrected, tensors } = await withTrueShapes(graph, given.inputs);
  return { graph: corrected, classifier: readOutputs(corrected, given, tensors) };
}

function readOutputs(graph: Graph, given: Given, tensors: Tensors | undefined): Classifier {
  const { view, zipMapLabels, outputs } = graph;
  const found = labelOutputOf(graph);
  const label = outputs.find(({ name }) => name === found?.name);
  const mistake = view && label && knownMistake(view, label.name);
  if (mistake !== undefined) throw new Error(mistake);
  const width = label?.shape[1] ?? 1;
  const own = (view && ownLabels(view, label, outputs)) ?? zipMapLabels;
  const { labels, values } =
    width > 1 ? independentLabels(given.labels, label) : agreedLabels(own, given.labels, label);
  const named = label && { label: { output: label.name, ...(values && { values }) } };
  if (given.scores === "none") {
    if (!named) throw new Error("--scores none needs a graph that says the label itself.");
    return { labels, outputs: [label], ...named };
  }
  const output = only(
    outputs.filter(
      (one) => isFloat(one) && (!view || isComputed(view, one.name)) && holds(one, labels.length),
    ),
    `one output with ${labels.length} numbers a row, one for each label${named ? " (or --scores none, to answer with the label alone)" : ""}`,
    outputs,
  );
  const meaning = meaningOf({ view, output, labels, hasLabel: !!label, flag: given.scores });
  const scores = checkedScores({ output, labels, values, label, tensors, meaning });
  return { labels, outputs: label ? [label, output] : [output], ...named, scores };
}

/**
 * The labels that the operators show: those of the label output, else those of the classifier that makes the scores.
 */
function ownLabels(view: GraphView, label: TensorInfo | undefined, outputs: TensorInfo[]) {
  if (label) return labelsOf(view, label.name);
  for (const { name } of outputs) {
    const found = labelsOfScores(view, name);
    if (found) return found;
  }
  return undefined;
}

function independentLabels(given: readonly string[] | undefined, label: TensorInfo | undefined) {
  const width = label?.shape[1] ?? 0;
  if (given?.length !== width)
    throw new Error(
      `The graph's label output ${label?.name} says of ${width} labels, each by itself, whether it is there${given ? `, but --labels names ${given.length}` : ""}. Name ${width} labels with --labels.`,
    );
  return { labels: [...given], values: undefined };
}

function holds({ shape }: TensorInfo, count: number): boolean {
  if (shape.length === 1) return count === 2;
  // Networks of convolutions alone leave ones behind: [N, 1000, 1, 1].
  const isFlat = shape.slice(2).every((size) => size === 1);
  return isFlat && (shape[1] === count || (shape[1] === 1 && count === 2));
}

export function isFloat({ datatype }: Pick<TensorInfo, "datatype">): boolean {
  return datatype === "FP32" || datatype === "FP64" || datatype === "FP16";
}
