import * as z from "zod";
import type { Graph } from "../../functions/platform/onnx/graph.ts";
import { isJoint } from "./hugging-face-towers.ts";
import { isVectors } from "./hugging-face-vectors.ts";
import { headSchema } from "./hugging-face-head.ts";

/** `config.json`, as far as it is looked at here. */
export const configSchema = headSchema.extend({
  architectures: z.array(z.string()).nullish(),
  max_position_embeddings: z.number().int().nullish(),
  n_positions: z.number().int().nullish(),
  model_type: z.string().optional(),
  text_config: z.looseObject({ max_position_embeddings: z.number().int().nullish() }).nullish(),
  num_queries: z.number().int().positive().nullish(),
  decoder_config: z.looseObject({ num_queries: z.number().int().positive().nullish() }).nullish(),
  num_detection_tokens: z.number().int().positive().nullish(),
  tokenizer_class: z.string().nullish(),
});
export type Config = z.infer<typeof configSchema>;

export type Kind =
  | "text-classification"
  | "token-classification"
  | "question-answering"
  | "fill-mask"
  | "image-classification"
  | "image-feature-extraction"
  | "zero-shot-image-classification"
  | "audio-classification"
  | "object-detection"
  | "image-segmentation"
  | "feature-extraction";

/** What optimum and transformers call the only input of a classifier of sound. */
const AUDIO_INPUTS = new Set(["input_values", "input_features"]);

const TAKEN =
  "Text and token classification, question answering, filling masks, classification of images and sound, images by labels of the request, object detection, segmentation, and feature extraction of texts and images";

/** What an export is, by the class of its network. Throws an Error for a class that no task is for. */
export function kindOf({ architectures }: Config, { inputs, outputs }: Graph): Kind {
  const [architecture = ""] = architectures ?? [];
  // A classifier of waveforms has the same name as one of texts. The graph's inputs tell the two apart.
  const isSound = inputs.some(({ name }) => AUDIO_INPUTS.has(name));
  if (/For(Audio|Sequence)Classification$/.test(architecture) && isSound)
    return "audio-classification";
  if (architecture.endsWith("ForSequenceClassification")) return "text-classification";
  if (architecture.endsWith("ForTokenClassification")) return "token-classification";
  if (architecture.endsWith("ForQuestionAnswering")) return "question-answering";
  if (architecture.endsWith("ForImageClassification")) return "image-classification";
  if (architecture.endsWith("ForObjectDetection")) return "object-detection";
  if (/For(Semantic|Universal|Instance)?Segmentation$/.test(architecture))
    return "image-segmentation";
  // Such a network may have been exported for its vectors.
  if (architecture.endsWith("ForMaskedLM"))
    return outputs.some(({ name }) => name === "logits") && !outputs.some(isVectors)
      ? "fill-mask"
      : "feature-extraction";
  if (isJoint({ inputs, outputs })) return "zero-shot-image-classification";
  if (/For[A-Z]/.test(architecture))
    throw new Error(
      `There is no task for a ${architecture}. ${TAKEN} are taken; for others add the .onnx file itself, which makes it a tensor model.`,
    );
  return inputs.length === 1 && inputs[0]?.name === "pixel_values"
    ? "image-feature-extraction"
    : "feature-extraction";
}

/** Throws an Error for a graph whose inputs are not those of its kind. */
export function checkKind(kind: Kind, { architectures }: Config, { path, inputs }: Graph): void {
  if (kind === "audio-classification") return;
  if (kind === "zero-shot-image-classification") return;
  const isOfPictures = kind.startsWith("image-") || kind === "object-detection";
  const needed = isOfPictures ? "pixel_values" : "input_ids";
  if (inputs.some(({ name }) => name === needed)) return;
  const [architecture = "model"] = architectures ?? [];
  const taken = inputs.map(({ name }) => name).join(", ");
  throw new Error(
    `There is no task for this ${architecture}: its graph takes ${taken}, and ${kind} needs ${needed}. ${TAKEN} are taken; for others add the .onnx file itself, which makes it a tensor model: nearcast add ${path} --name …`,
  );
}
