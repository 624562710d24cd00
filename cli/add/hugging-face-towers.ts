import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { MAX_TOKENS_PER_RUN } from "../../functions/tasks/check-tensors.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import type { TextOptions } from "../../functions/tasks/text/options.ts";
import type { SourceFile } from "../write-version.ts";
import type { Draft } from "./from-file.ts";
import { only } from "./only.ts";
import type { PoolingFlag } from "./image-vectors.ts";

/** The output of CLIP and its kind that says how well each picture fits each text. */
const LOGITS = "logits_per_image";
const TOKENS = new Set(["input_ids", "attention_mask", "token_type_ids"]);
/** SigLIP was trained with texts of this length, padding included. transformers' pipeline makes all as long. */
const SIGLIP_TOKENS = 64;

/** What `config.json` says of the network. */
interface About {
  model_type?: string | undefined;
}

/** Whether a graph takes pictures and texts, and compares them. */
export function isJoint({ inputs, outputs }: Pick<Graph, "inputs" | "outputs">): boolean {
  return (
    ["pixel_values", "input_ids"].every((name) => inputs.some((input) => input.name === name)) &&
    outputs.some(({ name }) => name === LOGITS)
  );
}

function isSiglip({ model_type = "" }: About): boolean {
  return model_type.includes("siglip");
}

function isClip({ model_type = "" }: About): boolean {
  return ["clip", "clip_text_model", "clip_vision_model"].includes(model_type);
}

/** The inputs as transformers fills them: all texts of SigLIP have one length. */
export function paddedInputs(about: About, inputs: readonly TensorInfo[]): TensorInfo[] {
  if (!isSiglip(about)) return [...inputs];
  return inputs.map((input) =>
    TOKENS.has(input.name) ? { ...input, shape: [input.shape[0] ?? -1, SIGLIP_TOKENS] } : input,
  );
}

interface Parts {
  image: ImageSettings;
  /** How pictures come in. */
  inputs: TensorInfo[];
  text: TextOptions;
  assets: SourceFile[];
}

/** Both towers in one graph: pictures by labels of the request. Throws an Error for inputs of another kind. */
export function jointDraft(
  about: About,
  graph: Graph,
  { image, inputs: [pictures], text, assets }: Parts,
): Draft {
  const others = graph.inputs.filter(({ name }) => name !== pictures?.name);
  const unknown = others.find(({ name }) => !TOKENS.has(name));
  if (!pictures || unknown)
    throw new Error(
      `A model that compares pictures with texts takes pixel_values, input_ids and attention_mask; this one takes ${unknown?.name ?? "no pixel_values"} too.`,
    );
  const output = only(
    graph.outputs.filter(({ name }) => name === LOGITS),
    `the output ${LOGITS}`,
    graph.outputs,
  );
  const tokens = isSiglip(about) ? SIGLIP_TOKENS : Infinity;
  const maxLength = Math.min(text.maxLength, tokens);
  // A client's own tensors have as many tokens as a run of the task at most.
  const maxShape = [Math.max(1, Math.floor(MAX_TOKENS_PER_RUN / maxLength)), maxLength];
  return {
    graph,
    assets,
    manifest: {
      task: "zero-shot-image-classification",
      batchDimension: null,
      inputs: [pictures, ...paddedInputs(about, others).map((input) => ({ ...input, maxShape }))],
      outputs: [{ ...output, shape: [-1, -1] }],
      image,
      text: { ...text, maxLength },
      zeroShot: { output: output.name, activation: isSiglip(about) ? "sigmoid" : "softmax" },
    },
  };
}

interface Tower {
  of: "texts" | "pictures";
  /** The user's word on other vectors of the tower. */
  pooling: PoolingFlag | undefined;
}

/**
 * The output of one tower whose vectors can be compared with those of the other. Undefined for other models, and where
 * the user wants another output. Throws an Error where the export lacks it.
 */
export function sharedVectors(
  about: About,
  { path, outputs }: Pick<Graph, "path" | "outputs">,
  { of, pooling }: Tower,
): { output: TensorInfo; pooling: Pick<TextOptions, "normalize"> } | undefined {
  if (pooling !== undefined || !(isClip(about) || isSiglip(about))) return undefined;
  const name = isClip(about) ? (of === "texts" ? "text_embeds" : "image_embeds") : "pooler_output";
  const output = outputs.find((one) => one.name === name);
  if (output) return { output, pooling: { normalize: false } };
  throw new Error(
    `${path} has no output ${name}, so its vectors are not those that texts and pictures are compared by: it has ${outputs.map((one) => one.name).join(", ")}. Export the tower with its projection (CLIP…ModelWithProjection). For vectors of another kind say --pooling.`,
  );
}

/** What the user of {@link sharedVectors} should know. */
export const SHARED_VECTORS_NOTE =
  "Its vectors are those of get_text_features and get_image_features, of any length: compare them by cosine, or say normalize in model.json.";
