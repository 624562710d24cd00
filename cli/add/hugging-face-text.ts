import { join } from "node:path";
import { contentOf } from "../../functions/tasks/text/configured.ts";
import type { Draft } from "./from-file.ts";
import type { Graph } from "../../functions/platform/onnx/graph.ts";
import { headOf, maskOutputOf, spanOutputsOf, tokenHeadOf } from "./hugging-face-head.ts";
import type { Config, Kind } from "./hugging-face-kind.ts";
import { sparseOutputOf } from "./hugging-face-sparse.ts";
import { readTokenizer } from "./hugging-face-tokenizer.ts";
import { paddedInputs, SHARED_VECTORS_NOTE, sharedVectors } from "./hugging-face-towers.ts";
import {
  checkNothingBehind,
  readSentenceSettings,
  readVectors,
  type AddedPooling,
} from "./hugging-face-vectors.ts";

/** The longest text, if the export does not say it. */
const DEFAULT_MAX_LENGTH = 512;

interface GivenKind {
  kind: Kind;
  labels: readonly string[] | undefined;
  /** The user's word on how tokens' vectors become one. */
  pooling: AddedPooling | undefined;
}

/** A model of texts. Throws an Error that names what cannot be followed. */
export async function textDraft(
  folder: string,
  config: Config,
  graph: Graph,
  { kind, labels, pooling: given }: GivenKind,
): Promise<Draft> {
  const { tokenizer, sentences, text, assets } = await textOf(folder, config);
  const inputs = paddedInputs(config, graph.inputs);
  const { prompts, defaultPrompt, dimensions, activationFn, isCrossEncoder } = sentences;
  const prompted = {
    ...text,
    ...(prompts && { prompts }),
    ...(defaultPrompt !== undefined && { defaultPrompt }),
  };
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
  if (kind === "question-answering") {
    if (tokenizer.padsLeft)
      throw new Error(
        `${join(folder, "tokenizer_config.json")}: "padding_side": "left" is not supported for question answering: transformers then puts the context before the question.`,
      );
    const [start, end] = spanOutputsOf(graph);
    const spans = { start: start.name, end: end.name };
    const manifest = { task: kind, inputs, outputs: [start, end], text, spans };
    return { graph, assets, manifest };
  }
  if (kind === "fill-mask" || kind === "feature-extraction") {
    const output = await sparseOutputOf(folder, graph, { ...sentences, pooling: given });
    if (output) {
      const all = { ...prompted, pooling: "splade" as const };
      const manifest = { task: "feature-extraction", inputs, outputs: [output], text: all };
      return { graph, assets, manifest };
    }
  }
  if (kind === "fill-mask") {
    if (given)
      throw new Error(
        `--pooling ${given} needs an output of vectors, and the graph has only logits: of these, --pooling splade makes sparse vectors.`,
      );
    const mask = contentOf(tokenizer.config.mask_token);
    if (mask === undefined)
      throw new Error(`${join(folder, "tokenizer_config.json")} has no mask_token.`);
    const output = maskOutputOf(graph);
    const fill = { output: output.name, mask };
    const manifest = { task: kind, inputs, outputs: [output], text, fill };
    return { graph, assets, manifest };
  }
  if (isCrossEncoder)
    throw new Error(
      `${join(folder, "config_sentence_transformers.json")} says that this is a CrossEncoder, but config.json has no classifier (…ForSequenceClassification): its layers behind the graph are not taken. Add the .onnx file itself, which makes it a tensor model.`,
    );
  const shared = sharedVectors(config, graph, { of: "texts", pooling: given });
  const { output, pooling } =
    shared ?? (await readVectors(folder, graph, { hasPrompts: prompts !== undefined, given }));
  const all = {
    ...prompted,
    ...pooling,
    ...(dimensions !== undefined && { dimensions }),
  };
  const manifest = { task: kind, inputs, outputs: [output], text: all };
  return { graph, assets, notes: shared ? [SHARED_VECTORS_NOTE] : [], manifest };
}

/** The tokenizer of an export, and the fields of the manifest and the files that it becomes. */
export async function textOf(folder: string, config: Config) {
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
  return { tokenizer, sentences, text, assets };
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
function positions({ text_config, max_position_embeddings, n_positions, model_type = "" }: Config) {
  // In T5 the number counts distances.
  const count =
    max_position_embeddings ??
    text_config?.max_position_embeddings ??
    (/t5/.test(model_type) ? undefined : n_positions);
  const fromTwo = /roberta|camembert|mpnet|longformer|ibert|xmod|data2vec-text/.test(model_type);
  return count && count > 0 ? count - (fromTwo ? 2 : 0) : undefined;
}
