import type { TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { GraphLabels } from "../../functions/platform/onnx/labels.ts";

/** The labels of a classifier, and the value of its label output for each. */
export interface Labels {
  labels: string[];
  values?: (string | number)[] | undefined;
}

/**
 * The labels, from the graph and `--labels`, which must agree. `--labels` may give names to the graph's numbers. If the
 * graph has names, or `--labels` has numbers, both must be the same. Throws an Error that says how they differ.
 */
export function agreedLabels(
  ofGraph: GraphLabels,
  given: readonly string[] | undefined,
  output: TensorInfo | undefined,
): Labels {
  if (ofGraph === undefined || ofGraph === "positions") return namedLabels(ofGraph, given, output);
  const own = ofGraph.map(String);
  if (!given) return { labels: own };
  const asNames = ofGraph.every((label) => typeof label === "number") && !given.every(isInteger);
  if (given.length !== own.length || (!asNames && String(given) !== String(own)))
    throw new Error(
      `--labels says ${given.join(", ")}, the graph says ${own.join(", ")}: its labels, in the order of its scores. ${asNames ? `Name ${own.length} labels` : "Leave --labels out, or give them like that"}.`,
    );
  return asNames ? { labels: [...given], values: ofGraph } : { labels: own };
}

/** If the operators do not show the labels, `--labels` must give them. */
function namedLabels(
  ofGraph: "positions" | undefined,
  given: readonly string[] | undefined,
  output: TensorInfo | undefined,
): Labels {
  if (!given)
    throw new Error(
      `The graph has a label output, ${output?.name}, but does not show which labels it can say. Name them with --labels, in the order of its scores.`,
    );
  const labels = [...given];
  if (ofGraph === "positions" || output?.datatype === "BOOL")
    return { labels, values: labels.map((_, index) => index) };
  if (!output || output.datatype === "BYTES" || given.every(isInteger)) return { labels };
  throw new Error(
    `The graph's label output ${output.name} says numbers, and the graph does not show which it says for ${given.join(" and ")}. Name the labels by these numbers, such as --labels=-1,1, in the order of its scores.`,
  );
}

function isInteger(label: string): boolean {
  return /^-?\d+$/.test(label);
}
