import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { channelsOf, hasOwnSize } from "../../functions/tasks/image/options.ts";
import { asTask } from "./as-task.ts";
import type { Draft } from "./from-file.ts";
import { readGraph, type Graph } from "../../functions/platform/onnx/graph.ts";
import { audioDraft } from "./hugging-face-audio.ts";
import { checkSettings, isFile, only, readJson, rules, type Rule } from "./hugging-face-files.ts";
import { detectionDraft } from "./hugging-face-detection.ts";
import { headOf } from "./hugging-face-head.ts";
import { readImageOptions } from "./hugging-face-image.ts";
import { checkKind, configSchema, kindOf, type Config } from "./hugging-face-kind.ts";
import { segmentationDraft } from "./hugging-face-segmentation.ts";
import { textDraft, textOf } from "./hugging-face-text.ts";
import { jointDraft, SHARED_VECTORS_NOTE, sharedVectors } from "./hugging-face-towers.ts";
import { ADDED_POOLINGS } from "./hugging-face-vectors.ts";
import {
  imagePooling,
  imageVectorsOf,
  oneOf,
  type ImagePoolingFlag,
  type PoolingFlag,
} from "./image-vectors.ts";

/**
 * Settings of `config.json` that act outside the graph. All others describe the network, and the graph contains their
 * result.
 */
const OUTSIDE: Record<string, Rule> = {
  ...rules(only(""), "function_to_apply", "prefix", "prompt", "instruction"),
  ...rules(only({}), "custom_pipelines", "task_specific_params"),
};

export interface ExportOptions {
  /** How the vectors of tokens, or of a picture's parts, become one, where the export does not say it. */
  pooling?: PoolingFlag | undefined;
  /** Another ONNX file of the folder than `onnx/model.onnx` or `model.onnx`. */
  file?: string | undefined;
  /** The user's names of the labels. */
  labels?: readonly string[] | undefined;
  /** Another task that the model can do, such as `text-ranking`. Otherwise the export says itself what it is. */
  task?: string | undefined;
}

/**
 * An export folder as optimum writes it: `config.json`, `tokenizer.json` or `preprocessor_config.json`,
 * and `onnx/model.onnx` or `model.onnx`. Throws an Error that names the file and the setting that the service cannot
 * follow as transformers and sentence-transformers do.
 */
export async function draftFromHuggingFace(
  folder: string,
  { file, labels, task, pooling }: ExportOptions,
): Promise<Draft> {
  const path = join(folder, "config.json");
  const config = await readJson(path, configSchema);
  if (!config)
    throw new Error(
      `${folder} has no config.json; is it an export folder? A model of another kind is added by its .onnx file.`,
    );
  const outside = Object.entries(config).filter(([name]) => Object.hasOwn(OUTSIDE, name));
  checkSettings(path, Object.fromEntries(outside), OUTSIDE);
  const graph = await readGraph(await findModel(folder, file));
  const kind = kindOf(config, graph);
  checkKind(kind, config, graph);
  if (labels && kind === "zero-shot-image-classification")
    throw new Error("--labels are in each request of this model, as candidate_labels.");
  const isOfParts = kind === "object-detection" || kind === "image-segmentation";
  if (labels && !kind.endsWith("classification") && !isOfParts)
    throw new Error(`--labels go with a classifier; this export does ${kind}.`);
  if (pooling && !kind.endsWith("feature-extraction") && kind !== "fill-mask")
    throw new Error(`--pooling goes with a model for vectors; this export does ${kind}.`);
  if (isOfParts || kind === "zero-shot-image-classification") {
    if (task !== undefined && task !== kind)
      throw new Error(`${folder} is a model for ${kind}, not ${task}.`);
    const pictures = await imageOf(folder, graph);
    if (kind === "zero-shot-image-classification")
      return jointDraft(config, graph, { ...pictures, ...(await textOf(folder, config)) });
    const draft = kind === "object-detection" ? detectionDraft : segmentationDraft;
    return draft(config, graph, { ...pictures, labels });
  }
  const draft =
    kind === "image-classification"
      ? await imageDraft(folder, config, graph, labels)
      : kind === "image-feature-extraction"
        ? await imageVectorDraft(folder, config, graph, imagePooling(pooling))
        : kind === "audio-classification"
          ? await audioDraft(folder, config, graph, labels)
          : await textDraft(folder, config, graph, {
              kind,
              labels,
              pooling: oneOf(ADDED_POOLINGS, pooling),
            });
  return asTask(draft, task, config, folder);
}

async function findModel(folder: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return join(folder, file);
  for (const candidate of ["onnx/model.onnx", "model.onnx"])
    if (await isFile(join(folder, candidate))) return join(folder, candidate);
  const found: string[] = [];
  for (const below of ["onnx", "."])
    for (const name of await readdir(join(folder, below)).catch(() => []))
      if (/^model.*\.(onnx|ort)$/.test(name)) found.push(join(below, name));
  const [first] = found;
  if (first === undefined) throw new Error(`${folder} has neither onnx/model.onnx nor model.onnx.`);
  if (found.length > 1)
    throw new Error(`${folder} has ${found.join(", ")}: say which one with --file.`);
  return join(folder, first);
}

async function imageVectorDraft(
  folder: string,
  config: Config,
  graph: Graph,
  pooling: ImagePoolingFlag | undefined,
): Promise<Draft> {
  const { image, inputs } = await imageOf(folder, graph);
  const shared = sharedVectors(config, graph, { of: "pictures", pooling })?.output;
  const { outputs, vector } = shared
    ? { outputs: [shared], vector: { output: shared.name } }
    : imageVectorsOf(graph.outputs, pooling);
  const manifest = { task: "image-feature-extraction", inputs, outputs, image, vector };
  return { graph, assets: [], notes: shared ? [SHARED_VECTORS_NOTE] : [], manifest };
}

async function imageDraft(
  folder: string,
  config: Config,
  graph: Graph,
  given: readonly string[] | undefined,
): Promise<Draft> {
  const { image, inputs } = await imageOf(folder, graph);
  const { labels, output, activation, regression } = headOf(config, graph, { labels: given });
  if (regression && config.problem_type === "regression")
    throw new Error(
      `${join(folder, "config.json")}: "problem_type": "regression" has no task for images; add the .onnx file itself, which makes it a tensor model.`,
    );
  return {
    graph,
    assets: [],
    manifest: {
      task: "image-classification",
      inputs,
      outputs: [output],
      image,
      labels,
      scores: { output: output.name, activation },
    },
  };
}

/** How pictures become the graph's input. Throws an Error where the two do not fit. */
async function imageOf(folder: string, graph: Graph) {
  const path = join(folder, "preprocessor_config.json");
  const { image, processor } = await readImageOptions(path);
  const input = graph.inputs.find(({ name }) => name === "pixel_values") ?? graph.inputs[0];
  if (!input) throw new Error("The model has no input.");
  const channels = channelsOf(image);
  const { height, width } = hasOwnSize(image) ? { height: -1, width: -1 } : image;
  const shape = [input.shape[0] ?? -1, channels, height, width];
  if (input.shape.some((size, axis) => axis > 0 && size >= 0 && size !== shape[axis]))
    throw new Error(
      `${path} makes images of ${channels} × ${height} × ${width} (channels, height, width; -1 is any), but ${input.name} of the graph is [${input.shape.join(", ")}].`,
    );
  return { image, processor, inputs: [{ ...input, shape }] };
}
