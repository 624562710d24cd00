import type { OnnxNode } from "./model.ts";
import { attributeOf, decode, textOf, type GraphView } from "./view.ts";

/** What a graph's label output can hold. For a position, the labels are 0 to one less than the number of scores. */
export type GraphLabels = (string | number)[] | "positions" | undefined;

/** Operators that pass on the same elements. */
const SAME = new Set(["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast"]);
const CLASSIFIERS = new Set(["LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier"]);

/** The labels that an output can hold, in the order of the scores. Undefined if the operators do not show it. */
export function labelsOf(view: GraphView, output: string): GraphLabels {
  const node = view.producerOf(output);
  const input = node?.input[0] ?? "";
  if (!node) return undefined;
  if (SAME.has(node.opType)) return labelsOf(view, input);
  if (CLASSIFIERS.has(node.opType))
    return node.output[0] === output ? classLabels(node) : undefined;
  if (node.opType === "ArgMax") return "positions";
  if (node.opType === "ArrayFeatureExtractor" || node.opType === "Gather") {
    const table = view.constantOf(input);
    if (!table || labelsOf(view, node.input[1] ?? "") !== "positions") return undefined;
    return "strings" in table ? table.strings : table.numbers;
  }
  return node.opType === "LabelEncoder" ? encoded(node, labelsOf(view, input)) : undefined;
}

/** The labels of the classifier that makes these scores, in their order. Undefined if something else makes them. */
export function labelsOfScores(view: GraphView, scores: string): (string | number)[] | undefined {
  // A graph that ONNX Runtime has not checked may run in a circle.
  const seen = new Set<string>();
  let name = scores;
  for (;;) {
    const node = view.producerOf(name);
    if (!node || seen.has(name)) return undefined;
    if (CLASSIFIERS.has(node.opType))
      return node.output[1] === name ? classLabels(node) : undefined;
    if (!SAME.has(node.opType) && node.opType !== "Normalizer") return undefined;
    seen.add(name);
    name = node.input[0] ?? "";
  }
}

/** The labels of a classifier or of a ZipMap. */
export function classLabels(node: OnnxNode): (string | number)[] | undefined {
  for (const name of ["classlabels_strings", "classlabels_int64s", "classlabels_ints"]) {
    const { strings = [], ints = [] } = attributeOf(node, name) ?? {};
    if (strings.length > 0) return strings.map(decode);
    if (ints.length > 0) return ints.map(Number);
  }
  return undefined;
}

/** LabelEncoder maps keys to values. The names of both attributes depend on their type. */
function encoded(node: OnnxNode, given: GraphLabels): GraphLabels {
  const list = (what: "keys" | "values"): (string | number)[] | undefined => {
    const { strings, ints } =
      attributeOf(node, `${what}_strings`) ?? attributeOf(node, `${what}_int64s`) ?? {};
    return strings && strings.length > 0 ? strings.map(decode) : ints?.map(Number);
  };
  const keys = list("keys");
  const values = list("values");
  if (!keys || !values) return undefined;
  if (given === "positions") return keys.every((key, at) => key === at) ? values : undefined;
  const mapped = given?.map((label) => values[keys.indexOf(label)]);
  return mapped?.every((label) => label !== undefined) ? mapped : undefined;
}

/** The label outputs as scikit-learn's and similar converters write them: those that are no constant. */
export function isComputed(view: GraphView, output: string): boolean {
  return view.graph.input.some(({ name }) => view.comesFrom(output, name));
}

/** What the scores are after a post_transform of ai.onnx.ml's classifiers. */
export function postTransform(node: OnnxNode): string {
  return textOf(node, "post_transform") || "NONE";
}
