import { labelsOf } from "../../functions/platform/onnx/labels.ts";
import type { OnnxNode } from "../../functions/platform/onnx/model.ts";
import { attributeOf, type GraphView } from "../../functions/platform/onnx/view.ts";

/**
 * A known fault of a converter in this graph, and what to do. Undefined if none is known.
 *
 * skl2onnx picks the label of an SGDClassifier with loss="modified_huber" by its clipped probabilities. scikit-learn
 * picks it by the values before, which tell two labels apart that are both clipped to 1. Of a OneVsRestClassifier of
 * SVC it takes the first column of each, which ONNX Runtime gives the opposite sign.
 */
export function knownMistake(view: GraphView, labelOutput: string): string | undefined {
  const labels = labelsOf(view, labelOutput);
  const chooser = view.graph.node.find(
    ({ opType, output }) => opType === "ArgMax" && view.comesFrom(labelOutput, output[0] ?? ""),
  );
  if (!chooser || !Array.isArray(labels) || labels.length < 3) return undefined;
  const machines = view.graph.node.filter(
    (node) =>
      node.opType === "SVMClassifier" &&
      !attributeOf(node, "prob_a")?.floats.length &&
      view.comesFrom(chooser.input[0] ?? "", node.output[1] ?? ""),
  );
  if (machines.length > 1)
    return "The graph is a OneVsRestClassifier of SVC without probabilities, for which skl2onnx writes a graph that takes each decision value for its opposite. Export the SVC itself, which takes several classes, or train it with probability=True.";
  const clipped = view.graph.node.some(
    (node) =>
      isClipToSigns(view, node) && view.comesFrom(chooser.input[0] ?? "", node.output[0] ?? ""),
  );
  if (!clipped) return undefined;
  return 'The graph is an SGDClassifier with loss="modified_huber", for which skl2onnx writes a graph that says other labels than scikit-learn where two classes have the same probability. Train with loss="log_loss", or calibrate the classifier with CalibratedClassifierCV.';
}

function isClipToSigns(view: GraphView, { opType, input }: OnnxNode): boolean {
  const [least, most] = input.slice(1).map((name) => view.constantOf(name));
  const is = (bound: typeof least, number: number) =>
    bound !== undefined && "numbers" in bound && bound.numbers[0] === number;
  return opType === "Clip" && is(least, -1) && is(most, 1);
}
