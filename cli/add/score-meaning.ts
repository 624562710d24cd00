import type { ScoresOptions } from "../../functions/tasks/classification/options.ts";
import { classLabels, postTransform } from "../../functions/platform/onnx/labels.ts";
import { isProbability, rangeOf } from "../onnx/range.ts";
import { attributeOf, type GraphView } from "../../functions/platform/onnx/view.ts";
import type { TensorInfo } from "../../functions/platform/onnx/graph.ts";

/** What `--scores` can say about a classifier's numbers. */
export const SCORES_FLAGS = [
  "probabilities",
  "softmax",
  "sigmoid",
  "decision-values",
  "none",
] as const;

export type ScoresFlag = (typeof SCORES_FLAGS)[number];
export type Meaning = Pick<ScoresOptions, "activation" | "kind">;

interface Scores {
  view: GraphView | undefined;
  output: TensorInfo;
  labels: readonly string[];
  /** Whether the graph gives the label, so that nothing depends on the scores. */
  hasLabel: boolean;
  flag: Exclude<ScoresFlag, "none"> | undefined;
}

/** What the numbers are, as the operators show or as `--scores` says. Throws an Error that asks for `--scores`. */
export function meaningOf({ view, output, labels, hasLabel, flag }: Scores): Meaning {
  const range = view && rangeOf(view, output.name);
  const probabilities = range !== undefined && isProbability(range);
  if (flag) {
    if (probabilities && flag !== "probabilities")
      throw new Error(
        `--scores says ${flag}, but ${output.name} holds probabilities already: the graph's last operators make numbers from 0 to 1. Leave --scores out.`,
      );
    return flag === "softmax" || flag === "sigmoid"
      ? { activation: flag }
      : { activation: "none", ...(flag === "decision-values" && { kind: flag }) };
  }
  if (probabilities) {
    if (isMirroredSoftmax(view, output.name)) throw whichSoftmax(output);
    return { activation: "none" };
  }
  if (!range || !hasLabel) throw whichScores(output, range !== undefined);
  if (labels.length > 2 && isPairwise(view, output.name))
    throw new Error(
      `${output.name} holds a decision value for each pair of labels, and not for each label (decision_function_shape="ovo"). Export with decision_function_shape="ovr", or add the label alone with --scores none.`,
    );
  return { activation: "none", kind: "decision-values" };
}

function whichScores({ name }: TensorInfo, known: boolean): Error {
  const found = known
    ? `${name} holds numbers of any size, so they are no probabilities as they are`
    : `The graph does not show what the numbers of ${name} are`;
  return new Error(
    `${found}. Say with --scores what they are: softmax or sigmoid (what turns them into probabilities), probabilities (they are that already), decision-values (they are none), or none (answer with the label alone).`,
  );
}

/**
 * A softmax of a decision value and its opposite. skl2onnx writes it for a LinearDiscriminantAnalysis of two classes
 * too, where scikit-learn takes a sigmoid: other probabilities, by up to 0.2.
 */
function isMirroredSoftmax(view: GraphView | undefined, tensor: string): boolean {
  const node = view?.producerOf(tensor);
  if (node?.opType !== "LinearClassifier" || postTransform(node) !== "SOFTMAX") return false;
  const weights = attributeOf(node, "coefficients")?.floats ?? [];
  const half = weights.length / 2;
  return (
    classLabels(node)?.length === 2 &&
    weights.slice(half).every((one, at) => one === -(weights[at] ?? 0))
  );
}

function whichSoftmax({ name }: TensorInfo): Error {
  return new Error(
    `${name} is a softmax of a decision value and its opposite. That is right for a LogisticRegression with multi_class="multinomial": then say --scores probabilities. skl2onnx writes it for a LinearDiscriminantAnalysis of two classes too, which has other probabilities: then export with options={id(model): {"raw_scores": True}}, and say --scores sigmoid.`,
  );
}

/** A support vector classifier compares each pair of labels. scikit-learn makes its own shape from that later. */
function isPairwise(view: GraphView | undefined, tensor: string): boolean {
  const node = view?.producerOf(tensor);
  if (node?.opType === "Identity" || node?.opType === "Cast")
    return isPairwise(view, node.input[0] ?? "");
  return node?.opType === "SVMClassifier";
}
