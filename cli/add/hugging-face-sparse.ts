import { join } from "node:path";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { checkSettings, only, readJson, rules, type Rule } from "./hugging-face-files.ts";
import { maskOutputOf } from "./hugging-face-head.ts";
import { kindOfModule, modulesSchema, type AddedPooling } from "./hugging-face-vectors.ts";
import * as z from "zod";

const SPLADE_RULES: Record<string, Rule> = {
  pooling_strategy: only("max"),
  activation_function: only("relu"),
  ...rules("harmless", "embedding_dimension", "word_embedding_dimension", "chunk_size"),
};

const TAKEN = new Set(["Transformer", "MLMTransformer", "SpladePooling"]);

/**
 * The output of a SPLADE model: a number for each token and each one of the vocabulary, or the vectors themselves where
 * the graph has the pooling too. Undefined where the files say that the model is none. Throws an Error for another
 * sparse encoder.
 */
export async function sparseOutputOf(
  folder: string,
  graph: Graph,
  {
    isSparseEncoder,
    pooling: given,
  }: { isSparseEncoder: boolean; pooling?: AddedPooling | undefined },
): Promise<TensorInfo | undefined> {
  const modules = await readJson(join(folder, "modules.json"), modulesSchema);
  const pooling = modules?.find((module) => kindOfModule(module) === "SpladePooling");
  if (!isSparseEncoder && !pooling && given !== "splade") return undefined;
  if (given && given !== "splade")
    throw new Error(`--pooling ${given} is not what the export says: it is a sparse encoder.`);
  const unknown = modules?.find((module) => !TAKEN.has(kindOfModule(module)));
  if (unknown || (modules && !pooling))
    throw new Error(
      `modules.json has ${unknown ? `a ${unknown.type}` : "no SpladePooling"}: of sparse encoders, those of a masked language model with SpladePooling are taken.`,
    );
  const path = join(folder, pooling?.path ?? "1_SpladePooling", "config.json");
  checkSettings(path, await readJson(path, z.looseObject({})), SPLADE_RULES);
  const whole = graph.outputs.find(
    ({ name, shape }) => name === "sentence_embedding" && shape.length === 2,
  );
  return whole ?? maskOutputOf(graph);
}
