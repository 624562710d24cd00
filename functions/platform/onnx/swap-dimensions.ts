import { integersAttribute, node, tensorValue, type OnnxGraph } from "./model.ts";
import { freeName } from "./rewrite.ts";

/**
 * Swaps the first two dimensions of an output of three, whose last one is `width`. Gives its new name. Runs of several
 * callers are joined along the first dimension, and split there.
 */
export function swapFirstTwo(graph: OnnxGraph, name: string, width: number): string {
  const swapped = freeName(graph, `${name}_swapped`);
  graph.node.push(node("Transpose", [name], [swapped], [integersAttribute("perm", [1, 0, 2])]));
  const at = graph.output.findIndex((one) => one.name === name);
  const { elemType = 0 } = graph.output[at]?.type?.tensorType ?? {};
  graph.output[at] = tensorValue(swapped, elemType, [-1, -1, width]);
  return swapped;
}
