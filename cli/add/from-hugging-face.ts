import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Draft } from "./from-file.ts";
import { readGraph, type Graph } from "./graph.ts";
import { checkSettings, isFile, only, readJson, rules, type Rule } from "./hugging-face-files.ts";
import { headOf, headSchema, tokenHeadOf } from "./hugging-face-head.ts";
import { readImageOptions } from "./hugging-face-image.ts";
import { readTokenizer } from "./hugging-face-tokenizer.ts";
import { checkNothingBehind, readSentenceSettings, readVectors } from "./hugging-face-vectors.ts";

const configSchema = headSchema.extend({
  architectures: z.array(z.string()).nullish(),
  max_position_embeddings: z.number().int().nullish(),
  n_positions: z.number().int().nullish(),
  model_type: z.string().optional(),
  tokenizer_class: z.string().nullish(),
});
type Config = z.infer<typeof configSchema>;

/**
 * Settings of `config.json` that act outside the graph. All others describe the network, and the graph contains their
 * result.
 */
const OUTSIDE: Record<string, Rule> = {
  ...rules(only(""), "function_to_apply", "prefix", "prompt", "instruction"),
  ...rules(only({}), "custom_pipelines", "task_specific_params"),
};

/** The longest text, if the export does not say it. */
const DEFAULT_MAX_LENGTH = 512;

export interface ExportOptions {
  /** Another ONNX file of the folder than `onnx/model.onnx` or `model.onnx`. */
  file?: string | undefined;
  /** The user's names of the labels. */
  labels?: readonly string[] | undefined;
  /** `text-ranking` for a reranker. Otherwise the export says itself what it is. */
  task?: string | undefined;
}

/**
 * An export folder as optimum writes it: `config.json`, `tokenizer.json` or `preprocessor_config.json`,
 * and `onnx/model.onnx` or `model.onnx`. Throws an Error that names the file and the setting that the service cannot
 * follow as transformers and sentence-transformers do.
 */
export async function draftFromHuggingFace(
  folder: string,
  { file, labels, task }: ExportOptions,
): Promise<Draft> {
  const path = join(folder, "config.json");
  const config = await readJson(path, configSchema);
  if (!config)
    throw new Error(
      `${folder} has no config.json; is it an export folder? A model of another kind is added by its .onnx file.`,
    );
  const outside = Object.entries(config).filter(([name]) => Object.hasOwn(OUTSIDE, name));
  checkSettings(path, Object.fromEntries(outside), OUTSIDE);
  const kind = kindOf(config);
  const graph = await readGraph(await findModel(folder, file));
  checkKind(kind, config, graph);
  if (labels && kind === "feature-extraction")
    throw new Error("--labels go with a classifier; this export makes vectors.");
  const draft =
    kind === "image-classification"
      ? await imageDraft(folder, config, graph, labels)
      : await textDraft(folder, config, graph, { kind, labels });
  return task === undefined ? draft : asTask(draft, task, folder);
}

/** The same export as another task that its graph can do. Throws an Error for any other task. */
function asTask(draft: Draft, task: string, folder: string): Draft {
  const { manifest } = draft;
  if (manifest.task === task) return draft;
  const { regression, ...shared } = manifest;
  if (task !== "text-ranking" || !regression || manifest.labels)
    throw new Error(
      `${folder} is a ${manifest.task} model. --task text-ranking goes with a reranker, which answers with one number.`,
    );
  const options = { ranking: regression };
  return { ...draft, manifest: { ...shared, task, ...options } };
}

type Kind =
  | "text-classification"
  | "token-classification"
  | "image-classification"
  | "feature-extraction";

function kindOf({ architectures }: Config): Kind {
  const [architecture = ""] = architectures ?? [];
  if (architecture.endsWith("ForSequenceClassification")) return "text-classification";
  if (architecture.endsWith("ForTokenClassification")) return "token-classification";
  if (architecture.endsWith("ForImageClassification")) return "image-classification";
  if (/For[A-Z]/.test(architecture) && !architecture.endsWith("ForMaskedLM"))
    throw new Error(
      `There is no task for a ${architecture}. Text and token classification, feature extraction and image classification are taken; for others add the .onnx file itself, which makes it a tensor model.`,
    );
  return "feature-extraction";
}

/** An audio classifier has the same name as a text classifier. The graph's inputs tell the two apart. */
function checkKind(kind: Kind, { architectures }: Config, { path, inputs }: Graph): void {
  const needed = kind === "image-classification" ? "pixel_values" : "input_ids";
  if (inputs.some(({ name }) => name === needed)) return;
  const [architecture = "model"] = architectures ?? [];
  const taken = inputs.map(({ name }) => name).join(", ");
  throw new Error(
    `There is no task for this ${architecture}: its graph takes ${taken}, and ${kind} needs ${needed}. Text and token classification, feature extraction of texts and image classification are taken; for others add the .onnx file itself, which makes it a tensor model: nearcast add ${path} --name …`,
  );
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

async function textDraft(
  folder: string,
  config: Config,
  graph: Graph,
  { kind, labels }: { kind: Kind; labels: readonly string[] | undefined },
): Promise<Draft> {
  const tokenizer = await readTokenizer(folder, config);
  const sentences = await readSentenceSettings(folder);
  const lengths = [sentences.maxLength ?? tokenizer.maxLength, positions(config)].filter(
    (length): length is number => length !== undefined && length > 0 && length < 1_000_000,
  );
  const text = {
    tokenizer: "tokenizer.json",
    tokenizerConfig: "tokenizer_config.json",
    maxLength: lengths.length > 0 ? Math.min(...lengths) : DEFAULT_MAX_LENGTH,
    ...(sentences.lowercase && { lowercase: true }),
  };
  const settings = new TextEncoder().encode(`${JSON.stringify(tokenizer.config, undefined, 2)}\n`);
  const assets = [
    { path: tokenizer.path, file: "tokenizer.json" },
    { content: settings, file: "tokenizer_config.json" },
  ];
  const { inputs } = graph;
  const { prompts, defaultPrompt, dimensions, activationFn, isCrossEncoder } = sentences;
  if (kind === "text-classification") {
    if (defaultPrompt !== undefined && prompts?.[defaultPrompt] !== "")
      throw new Error(
        `${join(folder, "config_sentence_transformers.json")}: default_prompt_name ${JSON.stringify(defaultPrompt)} is not supported for a classifier.`,
      );
    await checkNothingBehind(folder);
    const head = headOf(config, graph, { labels, activationFn });
    const manifest = { inputs, outputs: [head.output], text };
    return { graph, assets, notes: head.notes, manifest: { ...manifest, ...endOf(head) } };
  }
  if (kind === "token-classification") {
    const { labels: names, output } = tokenHeadOf(config, graph, labels);
    const entities = { output: output.name };
    const manifest = { task: kind, inputs, outputs: [output], text, labels: names, entities };
    return { graph, assets, manifest };
  }
  if (isCrossEncoder)
    throw new Error(
      `${join(folder, "config_sentence_transformers.json")} says that this is a CrossEncoder, but config.json has no classifier (…ForSequenceClassification): its layers behind the graph are not taken. Add the .onnx file itself, which makes it a tensor model.`,
    );
  const { output, pooling, notes } = await readVectors(folder, graph, {
    hasPrompts: prompts !== undefined,
  });
  const all = {
    ...text,
    ...(prompts && { prompts }),
    ...(defaultPrompt !== undefined && { defaultPrompt }),
    ...pooling,
    ...(dimensions !== undefined && { dimensions }),
  };
  return { graph, assets, notes, manifest: { task: kind, inputs, outputs: [output], text: all } };
}

function endOf({ labels, output, activation, regression }: ReturnType<typeof headOf>) {
  if (!regression)
    return {
      task: "text-classification",
      labels,
      scores: { output: output.name, activation },
    };
  return {
    task: "text-regression",
    ...(labels.length > 1 && { labels }),
    regression: { output: output.name, activation },
  };
}

/** How many tokens have a position. RoBERTa and similar models count positions from 2. */
function positions({ max_position_embeddings, n_positions, model_type = "" }: Config) {
  // In T5 the number counts distances.
  const count = max_position_embeddings ?? (/t5/.test(model_type) ? undefined : n_positions);
  const fromTwo = /roberta|camembert|mpnet|longformer|ibert|xmod|data2vec-text/.test(model_type);
  return count && count > 0 ? count - (fromTwo ? 2 : 0) : undefined;
}

async function imageDraft(
  folder: string,
  config: Config,
  graph: Graph,
  given: readonly string[] | undefined,
): Promise<Draft> {
  const path = join(folder, "preprocessor_config.json");
  const image = await readImageOptions(path);
  const { labels, output, activation, regression } = headOf(config, graph, { labels: given });
  if (regression && config.problem_type === "regression")
    throw new Error(
      `${join(folder, "config.json")}: "problem_type": "regression" has no task for images; add the .onnx file itself, which makes it a tensor model.`,
    );
  const [input] = graph.inputs;
  if (!input) throw new Error("The model has no input.");
  const channels = image.color === "rgb" ? 3 : 1;
  const shape = [input.shape[0] ?? -1, channels, image.height, image.width];
  if (input.shape.some((size, axis) => axis > 0 && size >= 0 && size !== shape[axis]))
    throw new Error(
      `${path} makes images of ${channels} × ${image.height} × ${image.width} (channels, height, width), but ${input.name} of the graph is [${input.shape.join(", ")}].`,
    );
  const inputs = [{ ...input, shape }];
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
