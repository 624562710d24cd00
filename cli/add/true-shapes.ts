import type { Tensors } from "../../functions/tensor.ts";
import { writeOnnx } from "../../functions/platform/onnx/model.ts";
import { declareShapes } from "../../functions/platform/onnx/rewrite.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { probe, rowsOfProbe } from "./probe.ts";

/**
 * Exporters declare the shapes of outputs loosely or wrongly: those of a run are right. Gives the graph with them, and
 * what the run gave.
 */
export async function withTrueShapes(
  graph: Graph,
  inputs: readonly TensorInfo[],
): Promise<{ graph: Graph; tensors: Tensors | undefined }> {
  const tensors = await probe(graph, [...inputs]);
  const outputs = graph.outputs.map((output) => trueShape(output, tensors, inputs));
  const { model, changes } = graph;
  const declared = model?.graph ? declareShapes(model.graph, outputs) : [];
  if (!model || declared.length === 0) return { graph: { ...graph, outputs }, tensors };
  const bytes = writeOnnx(model);
  return { graph: { ...graph, outputs, bytes, changes: [...changes, ...declared] }, tensors };
}

function trueShape(
  output: TensorInfo,
  tensors: Tensors | undefined,
  inputs: readonly TensorInfo[],
): TensorInfo {
  const [first, ...others] = tensors?.[output.name]?.shape ?? [];
  if (first === undefined || first !== rowsOfProbe([...inputs])) return output;
  return { ...output, shape: [first > 1 ? -1 : first, ...others] };
}
