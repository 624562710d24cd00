import * as z from "zod";
import { repeatedLabel } from "../../functions/model/manifest.ts";
import { only } from "./only.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";

/** What `config.json` says about the model's last numbers. */
export const headSchema = z.looseObject({
  // Stars and years are numbers in some files.
  id2label: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .nullish(),
  label2id: z.record(z.string(), z.number().int()).nullish(),
  num_labels: z.number().int().positive().nullish(),
  problem_type: z
    .enum(["regression", "single_label_classification", "multi_label_classification"])
    .nullish(),
  /** How a cross-encoder of sentence-transformers turns logits into scores. The second name is older. */
  sentence_transformers: z.looseObject({ activation_fn: z.string().nullish() }).nullish(),
  sbert_ce_default_activation_function: z.string().nullish(),
});
type HeadConfig = z.infer<typeof headSchema>;

type Activation = "none" | "softmax" | "sigmoid";

export interface Head {
  labels: string[];
  output: TensorInfo;
  activation: Activation;
  /** Whether the model answers with numbers: it was trained for them, or it has only one. */
  regression: boolean;
  notes: string[];
}

/**
 * The end of a classifier as transformers' pipelines have it. `given` are the user's names of the labels. Throws an
 * Error where config.json, the graph and the names do not fit together.
 */
export function headOf(
  config: HeadConfig,
  { outputs }: Graph,
  {
    labels: given,
    activationFn,
  }: { labels?: readonly string[] | undefined; activationFn?: string | null | undefined },
): Head {
  const { labels, output } = labelledOutput(config, outputs, given, 2);
  const written = activationOf(
    activationFn ??
      config.sentence_transformers?.activation_fn ??
      config.sbert_ce_default_activation_function,
  );
  const { problem_type: problem } = config;
  if (problem === "regression" || labels.length === 1) {
    const activation = written ?? (problem === "regression" ? "none" : "sigmoid");
    if (activation === "softmax")
      throw new Error(
        "config.json: a softmax of one number is always 1, and of several no regression.",
      );
    return { labels, output, activation, regression: true, notes: [] };
  }
  const usual = problem === "multi_label_classification" ? "sigmoid" : "softmax";
  const notes =
    written === "none"
      ? [
          `config.json has CrossEncoder answer with logits; here the scores of labels are their ${usual}, as in transformers' pipeline.`,
        ]
      : [];
  const activation = written === undefined || written === "none" ? usual : written;
  return { labels, output, activation, regression: false, notes };
}

/** The end of a token classifier: a number for each token and label. Throws an Error where it is not one. */
export function tokenHeadOf(
  config: HeadConfig,
  { outputs }: Graph,
  given: readonly string[] | undefined,
): Pick<Head, "labels" | "output"> {
  return labelledOutput(config, outputs, given, 3);
}

/** The two outputs of a model that answers questions: where answers begin, and where they end. */
export function spanOutputsOf({ outputs }: Graph): [start: TensorInfo, end: TensorInfo] {
  const [start, end] = ["start_logits", "end_logits"].map((name) =>
    outputs.find((one) => one.name === name && one.shape.length === 2),
  );
  if (start && end) return [start, end];
  const has = outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`);
  throw new Error(
    `A model that answers questions needs the outputs start_logits and end_logits [-1, -1]; it has ${has.join(", ")}.`,
  );
}

/** The output of a masked language model: a number for each token and each one of the vocabulary. */
export function maskOutputOf({ outputs }: Graph): TensorInfo {
  const logits = outputs.filter(({ name, shape }) => name === "logits" && shape.length === 3);
  return only(logits, "an output logits [-1, -1, vocabulary]", outputs);
}

/** The output whose last dimension are the labels. */
function labelledOutput(
  config: HeadConfig,
  outputs: Graph["outputs"],
  given: readonly string[] | undefined,
  rank: 2 | 3,
): Pick<Head, "labels" | "output"> {
  const logits = outputs.find(({ name }) => name === "logits") ?? outputs[0];
  if (!logits) throw new Error("The model has no output.");
  const labels = labelsOf(config, given);
  const width = logits.shape[rank - 1] ?? -1;
  if (logits.shape.length !== rank || (width >= 0 && width !== labels.length))
    throw new Error(
      `config.json has ${labels.length} labels (${labels.slice(0, 5).join(", ")}), but the output ${logits.name} is [${logits.shape.join(", ")}]. Name them in id2label of config.json, or with --labels.`,
    );
  const repeated = repeatedLabel(labels);
  if (repeated)
    throw new Error(
      `config.json, id2label: ${repeated}. Rename one in config.json, or name all with --labels.`,
    );
  return { labels, output: { ...logits, shape: [...logits.shape.slice(0, -1), labels.length] } };
}

/** The names of the labels, by their numbers. Throws an Error where one is missing, or the user names another count. */
export function labelsOf(
  { id2label, num_labels }: HeadConfig,
  given?: readonly string[],
): string[] {
  // Where config.json has no names, transformers has two labels and these names.
  const count = id2label ? Object.keys(id2label).length : (num_labels ?? given?.length ?? 2);
  const ids = Array.from({ length: count }, (_, id) => id);
  const missing = id2label && ids.find((id) => id2label[id] === undefined);
  if (missing !== undefined && missing !== null)
    throw new Error(
      `config.json, id2label: it has ${count} labels, but none with the id ${missing}. The ids must be 0 to ${count - 1}.`,
    );
  if (given && given.length !== count)
    throw new Error(`--labels names ${given.length} labels, config.json has ${count}.`);
  return given ? [...given] : ids.map((id) => id2label?.[id] ?? `LABEL_${id}`);
}

/** A class of torch by its path, such as `torch.nn.modules.linear.Identity`. */
function activationOf(path: string | null | undefined): Activation | undefined {
  if (!path) return undefined;
  const name = /^torch\.nn\.(?:modules\.\w+\.)?(\w+)$/.exec(path)?.[1];
  const known = name && { Identity: "none", Sigmoid: "sigmoid", Softmax: "softmax" }[name];
  if (known) return known as Activation;
  throw new Error(
    `config.json: activation_fn ${JSON.stringify(path)} is not supported: it may be torch.nn.Identity, torch.nn.Sigmoid or torch.nn.Softmax.`,
  );
}
