import type { GraphView } from "../../functions/platform/onnx/view.ts";
import { attributeOf, decode } from "../../functions/platform/onnx/view.ts";

/**
 * The texts that a graph's input may have, if a OneHotEncoder behind it refuses all others. Undefined if none does.
 */
export function categoriesOf(view: GraphView, input: string): string[] | undefined {
  const encoder = view.graph.node.find(
    (node) =>
      node.opType === "OneHotEncoder" &&
      // With zeros, an unknown text is no error.
      attributeOf(node, "zeros")?.i === 0n &&
      columnOf(view, node.input[0] ?? "") === input,
  );
  const texts = encoder && attributeOf(encoder, "cats_strings")?.strings.map(decode);
  return texts && texts.length > 0 ? texts : undefined;
}

const SAME = new Set(["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"]);

/** The graph's input behind a tensor of one column. Undefined if the tensor is computed. */
function columnOf(view: GraphView, tensor: string): string | undefined {
  const node = view.producerOf(tensor);
  if (!node) return tensor;
  const [first = "", second = ""] = node.input;
  if (SAME.has(node.opType)) return columnOf(view, first);
  if (node.opType === "Concat" && node.input.length === 1) return columnOf(view, first);
  if (node.opType !== "Gather" && node.opType !== "ArrayFeatureExtractor") return undefined;
  const picked = view.constantOf(second);
  const columns = view.producerOf(first);
  if (!picked || !("numbers" in picked) || picked.numbers.length !== 1) return undefined;
  const [at = 0] = picked.numbers;
  if (columns?.opType === "Concat") return columnOf(view, columns.input[at] ?? "");
  return at === 0 ? columnOf(view, first) : undefined;
}
