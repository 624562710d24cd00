import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Draft } from "./from-file.ts";
import { readGraph, type Graph } from "./graph.ts";
import { imageOptions } from "./hugging-face-image.ts";

const configSchema = z.object({
  architectures: z.array(z.string()).optional(),
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: z.string().nullish(),
  max_position_embeddings: z.number().int().positive().optional(),
  model_type: z.string().optional(),
});
const tokenizerSchema = z.object({ model_max_length: z.number().optional() });
const poolingSchema = z.record(z.string(), z.unknown());
const modulesSchema = z.array(z.object({ type: z.string() }));

type HuggingFaceConfig = z.infer<typeof configSchema>;

/** Longest text where the export says nothing of it. */
const DEFAULT_MAX_LENGTH = 512;

/**
 * An export folder as optimum writes it: `config.json`, `tokenizer.json` or `preprocessor_config.json`,
 * and `onnx/model.onnx` or `model.onnx`; `file` picks another ONNX file of the folder.
 */
export async function draftFromHuggingFace(folder: string, file?: string): Promise<Draft> {
  const config = await readJson(join(folder, "config.json"), configSchema);
  if (!config) throw new Error(`${folder} has no config.json; is it an export folder?`);
  const graph = await readGraph(await findModel(folder, file));
  const task = taskOf(config);
  if (task === "image-classification") return imageDraft(folder, config, graph);
  const { text, assets } = await textOptions(folder, config);
  if (task === "text-classification") {
    const scores = classification(config, graph);
    return { graph, assets, manifest: { task, inputs: graph.inputs, text, ...scores } };
  }
  const { outputs, pooling } = await vectors(folder, graph);
  return {
    graph,
    assets,
    manifest: { task, inputs: graph.inputs, outputs, text: { ...text, ...pooling } },
  };
}

function taskOf({ architectures = [] }: HuggingFaceConfig) {
  const [architecture = ""] = architectures;
  if (architecture.endsWith("ForSequenceClassification")) return "text-classification";
  if (architecture.endsWith("ForImageClassification")) return "image-classification";
  if (/For[A-Z]/.test(architecture) && !architecture.endsWith("ForMaskedLM"))
    throw new Error(
      `There is no task for a ${architecture}. Text classification, feature extraction and image classification are taken; for others add the .onnx file itself, which makes it a tensor model.`,
    );
  return "feature-extraction";
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

function classification({ id2label, problem_type }: HuggingFaceConfig, { outputs }: Graph) {
  const ids = Object.keys(id2label ?? {})
    .map(Number)
    .sort((a, b) => a - b);
  if (ids.length < 2 || ids.some((id, index) => id !== index))
    throw new Error("config.json needs id2label with ids from 0 to at least 1.");
  const labels = ids.map((id) => id2label?.[id] ?? "");
  const logits = outputs.find(({ name }) => name === "logits") ?? outputs[0];
  if (!logits) throw new Error("The model has no output.");
  const multiple = problem_type === "multi_label_classification";
  return {
    labels,
    outputs: [{ ...logits, shape: [logits.shape[0] ?? -1, labels.length] }],
    scores: { output: logits.name, activation: multiple ? "sigmoid" : "softmax" } as const,
  };
}

async function textOptions(folder: string, config: HuggingFaceConfig) {
  if (!(await isFile(join(folder, "tokenizer.json"))))
    throw new Error(
      `${folder} has no tokenizer.json. Save the fast tokenizer beside the model: AutoTokenizer.from_pretrained(…).save_pretrained("${folder}")`,
    );
  const assets = [{ path: join(folder, "tokenizer.json"), file: "tokenizer.json" }];
  const settings = await readJson(join(folder, "tokenizer_config.json"), tokenizerSchema);
  const tokenizerConfig = settings ? { tokenizerConfig: "tokenizer_config.json" } : {};
  if (settings)
    assets.push({ path: join(folder, "tokenizer_config.json"), file: "tokenizer_config.json" });
  const lengths = [settings?.model_max_length, positions(config)].filter(
    (length): length is number => length !== undefined && length > 0 && length < 1_000_000,
  );
  const maxLength = lengths.length > 0 ? Math.min(...lengths) : DEFAULT_MAX_LENGTH;
  return { assets, text: { tokenizer: "tokenizer.json", ...tokenizerConfig, maxLength } };
}

/** RoBERTa and its kin count positions from 2 on. */
function positions({ max_position_embeddings: count, model_type }: HuggingFaceConfig) {
  return count !== undefined && /roberta|camembert|mpnet/.test(model_type ?? "")
    ? count - 2
    : count;
}

async function vectors(folder: string, { outputs }: Graph) {
  const named = (name: string) => outputs.find((output) => output.name === name);
  const output = named("sentence_embedding") ?? named("last_hidden_state") ?? outputs[0];
  if (!output) throw new Error("The model has no output.");
  const modules = (await readJson(join(folder, "modules.json"), modulesSchema)) ?? [];
  const normalize = modules.some(({ type }) => type.endsWith("Normalize"));
  if (output.shape.length === 2) return { outputs: [output], pooling: { normalize } };
  const unknown = modules.find(({ type }) => !/\b(Transformer|Pooling|Normalize)$/.test(type));
  if (unknown)
    throw new Error(
      `modules.json has a ${unknown.type} behind the graph, which the server does not have. Export the whole model, with an output sentence_embedding.`,
    );
  const settings = await readJson(join(folder, "1_Pooling", "config.json"), poolingSchema);
  const modes = Object.entries(settings ?? { pooling_mode_mean_tokens: true })
    .filter(([key, value]) => key.startsWith("pooling_mode") && value === true)
    .map(([key]) => key);
  const pooling = { pooling_mode_mean_tokens: "mean", pooling_mode_cls_token: "cls" }[
    modes[0] ?? ""
  ] as "mean" | "cls" | undefined;
  if (!pooling || modes.length > 1)
    throw new Error(
      `1_Pooling asks for ${modes.join(" and ") || "nothing"}; mean and cls are taken.`,
    );
  return { outputs: [output], pooling: { pooling, normalize } };
}

async function imageDraft(folder: string, config: HuggingFaceConfig, graph: Graph): Promise<Draft> {
  const path = join(folder, "preprocessor_config.json");
  const image = imageOptions(await readJson(path, z.unknown()), path);
  const [input] = graph.inputs;
  if (!input) throw new Error("The model has no input.");
  const channels = image.color === "rgb" ? 3 : 1;
  const inputs = [{ ...input, shape: [input.shape[0] ?? -1, channels, image.height, image.width] }];
  return {
    graph,
    assets: [],
    manifest: { task: "image-classification", inputs, image, ...classification(config, graph) },
  };
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!(await isFile(path))) return undefined;
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Error(`${path} is not readable: ${(cause as Error).message}`, { cause });
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
