import { join } from "node:path";
import * as z from "zod";
import { POOLINGS, type Pooling, type TextOptions } from "../../functions/tasks/text/options.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { checkSettings, only, readJson, rules, type Rule } from "./hugging-face-files.ts";

export const modulesSchema = z.array(
  z.looseObject({ type: z.string(), path: z.string().optional() }),
);
const poolingSchema = z.looseObject({
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  include_prompt: z.boolean().optional(),
});
const transformerSchema = z.looseObject({
  max_seq_length: z.number().int().positive().nullish(),
  do_lower_case: z.boolean().nullish(),
});
const wholeSchema = z.looseObject({
  prompts: z.record(z.string(), z.string().nullable()).nullish(),
  default_prompt_name: z.string().nullish(),
  truncate_dim: z.number().int().positive().nullish(),
  model_type: z.string().nullish(),
  activation_fn: z.string().nullish(),
});

/** Names of `sentence_bert_config.json` that older versions chose by the kind of model. */
const TRANSFORMER_FILES = [
  "bert",
  "roberta",
  "distilbert",
  "camembert",
  "albert",
  "xlm-roberta",
  "xlnet",
];

const TRANSFORMER_RULES: Record<string, Rule> = {
  ...rules("used", "max_seq_length", "do_lower_case"),
  transformer_task: only("feature-extraction", "sequence-classification", "fill-mask"),
  modality_config: only(
    { text: { method: "forward", method_output_name: "last_hidden_state" } },
    { text: { method: "forward", method_output_name: "logits" } },
  ),
  module_output_name: only("token_embeddings", "scores"),
  ...rules(only({}), "processing_kwargs", "model_args", "tokenizer_args", "config_args"),
  ...rules(only({}), "model_kwargs", "processor_kwargs", "config_kwargs"),
  ...rules("harmless", "unpad_inputs"),
};

const WHOLE_RULES: Record<string, Rule> = {
  ...rules("used", "prompts", "default_prompt_name", "truncate_dim", "activation_fn"),
  ...rules("harmless", "__version__", "similarity_fn_name"),
  model_type: only("SentenceTransformer", "CrossEncoder", "SparseEncoder"),
};

/** Older names of the ways to pool. */
const OLDER_POOLINGS: Record<string, Pooling> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_max_tokens: "max",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_mean_sqrt_len_tokens: "mean_sqrt_len_tokens",
  pooling_mode_weightedmean_tokens: "weightedmean",
  pooling_mode_lasttoken: "lasttoken",
};

const POOLING_RULES: Record<string, Rule> = {
  ...rules("used", "pooling_mode", "include_prompt", ...Object.keys(OLDER_POOLINGS)),
  ...rules("harmless", "word_embedding_dimension", "embedding_dimension"),
};

const MODULE = /^sentence_transformers\.(?:\w+\.)*(\w+)$/;

/** What a module is, such as `Pooling`: the class of sentence-transformers, or the path of another one. */
export function kindOfModule({ type }: { type: string }): string {
  return MODULE.exec(type)?.[1] ?? type;
}

/** What the files of sentence-transformers say about texts: their length, their case, and their prompts. */
export async function readSentenceSettings(folder: string) {
  let maxLength: number | undefined;
  let lowercase = false;
  for (const kind of TRANSFORMER_FILES) {
    const path = join(folder, `sentence_${kind}_config.json`);
    const settings = await readJson(path, transformerSchema);
    if (!settings) continue;
    checkSettings(path, settings, TRANSFORMER_RULES);
    maxLength = settings.max_seq_length ?? undefined;
    lowercase = settings.do_lower_case ?? false;
    break;
  }
  const path = join(folder, "config_sentence_transformers.json");
  const whole = await readJson(path, wholeSchema);
  checkSettings(path, whole, WHOLE_RULES);
  const prompts = Object.fromEntries(
    Object.entries(whole?.prompts ?? {}).map(([name, text]) => [name, text ?? ""]),
  );
  const standard = whole?.default_prompt_name ?? undefined;
  if (standard !== undefined && !Object.hasOwn(prompts, standard))
    throw new Error(
      `${path}: default_prompt_name ${JSON.stringify(standard)} is no name in its prompts.`,
    );
  const someText = Object.values(prompts).some((text) => text !== "");
  return {
    maxLength,
    lowercase,
    prompts: someText ? prompts : undefined,
    defaultPrompt: someText ? standard : undefined,
    dimensions: whole?.truncate_dim ?? undefined,
    activationFn: whole?.activation_fn,
    isCrossEncoder: whole?.model_type === "CrossEncoder",
    isSparseEncoder: whole?.model_type === "SparseEncoder",
  };
}

/** Throws for a classifier with layers of sentence-transformers behind the graph. */
export async function checkNothingBehind(folder: string): Promise<void> {
  const modules = await readJson(join(folder, "modules.json"), modulesSchema);
  const unknown = modules?.find(({ type }) => !/\.(Transformer|Dropout)$/.test(type));
  if (unknown)
    throw new Error(
      `modules.json has a ${unknown.type} behind the graph, which the server does not have. Add the .onnx file itself, which makes it a tensor model.`,
    );
}

const VECTOR_OUTPUTS = ["sentence_embedding", "last_hidden_state", "token_embeddings"];

/** Whether an output has vectors, by its name. */
export function isVectors({ name }: TensorInfo): boolean {
  return VECTOR_OUTPUTS.includes(name);
}

export interface Vectors {
  output: TensorInfo;
  pooling: Pick<TextOptions, "pooling" | "normalize">;
}

/** The ways to pool that `--pooling` takes. */
export const ADDED_POOLINGS = [...POOLINGS, "none", "splade"] as const;
export type AddedPooling = (typeof ADDED_POOLINGS)[number];

/** The output with the vectors, and how the modules of sentence-transformers make one vector of them. */
export async function readVectors(
  folder: string,
  { outputs }: Graph,
  { hasPrompts, given }: { hasPrompts: boolean; given: AddedPooling | undefined },
): Promise<Vectors> {
  const output = VECTOR_OUTPUTS.map((name) => outputs.find((one) => one.name === name)).find(
    (one) => one !== undefined,
  );
  const found = output ?? outputs[0];
  if (!found) throw new Error("The model has no output.");
  if (!output && (found.name === "logits" || found.name === "pooler_output"))
    throw new Error(
      `The model has no vectors: its outputs are ${outputs.map(({ name }) => name).join(", ")}. Export it for feature extraction, with an output sentence_embedding or last_hidden_state.`,
    );
  const path = join(folder, "modules.json");
  const modules = await readJson(path, modulesSchema);
  const kinds = modules?.map(kindOfModule) ?? [];
  const pooled = kinds.indexOf("Pooling");
  // Before the pooling there is no vector that Normalize could change.
  const normalize = kinds.slice(pooled < 0 ? 0 : pooled).includes("Normalize");
  const settings = join(folder, modules?.[pooled]?.path ?? "1_Pooling", "config.json");
  const pooling = await readJson(settings, poolingSchema);
  if (pooling?.include_prompt === false && hasPrompts)
    throw new Error(
      `${settings}: "include_prompt": false is not supported together with prompts: the server's vectors include them. Add the .onnx file itself, which makes it a tensor model, and pool its tokens yourself.`,
    );
  if (found.shape.length === 2) {
    if (given)
      throw new Error(
        `--pooling is for tokens' vectors, and ${found.name} has one for each text already.`,
      );
    return { output: found, pooling: { normalize } };
  }

  const unknown = modules?.find((_, index) => !TAKEN.has(kinds[index] ?? ""));
  if (unknown)
    throw new Error(
      `modules.json has a ${unknown.type} behind the graph, which the server does not have. Export the whole model, with an output sentence_embedding.`,
    );
  const transformer = modules?.[kinds.indexOf("Transformer")];
  if (transformer?.path)
    throw new Error(
      `${path}: the path ${JSON.stringify(transformer.path)} of the Transformer is not supported: its files must lie in ${folder} itself. Save the model again with a newer sentence-transformers.`,
    );
  checkSettings(settings, pooling, POOLING_RULES);
  const own = pooling && modeOf(pooling, settings);
  if (own && given && own !== given)
    throw new Error(`--pooling ${given} is not what the export says: ${settings} has ${own}.`);
  const mode = own ?? given;
  if (!mode)
    throw new Error(
      `No file of the export says how the tokens' vectors become one: look at the model's card, and say it with --pooling ${ADDED_POOLINGS.join(", ")}.`,
    );
  return { output: found, pooling: { pooling: mode, normalize } };
}

/** Modules that the server has, or that do nothing when a model answers. */
const TAKEN = new Set(["Transformer", "Pooling", "Normalize", "Dropout"]);

function modeOf(settings: z.infer<typeof poolingSchema>, path: string): Pooling {
  const given = settings.pooling_mode;
  const older = Object.keys(OLDER_POOLINGS).filter((name) => settings[name] === true);
  const modes = given === undefined ? older : [given].flat();
  const [mode = "mean"] = modes;
  if (modes.length > 1)
    throw new Error(
      `${path} asks for ${modes.join(" and ")}; one way to pool is taken. Export the whole model, with an output sentence_embedding.`,
    );
  const known = OLDER_POOLINGS[mode] ?? POOLINGS.find((one) => one === mode);
  if (known) return known;
  throw new Error(
    `${path}: pooling_mode ${JSON.stringify(mode)} is not supported: it may be ${POOLINGS.join(", ")}.`,
  );
}
