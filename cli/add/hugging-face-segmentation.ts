import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import type { SegmentationSettings } from "../../functions/tasks/image-segmentation/options.ts";
import type { Draft } from "./from-file.ts";
import { distinct } from "./hugging-face-detection.ts";
import { labelsOf } from "./hugging-face-head.ts";
import type { Config } from "./hugging-face-kind.ts";

interface Given {
  /** The processor's name without its ending. */
  processor: string;
  image: ImageSettings;
  inputs: TensorInfo[];
  labels: readonly string[] | undefined;
}

/** What the processors of transformers make of masks and of the labels of queries, by their names without the ending. */
const QUERIED: Readonly<Record<string, Omit<SegmentationSettings, "output" | "classes">>> = {
  MaskFormer: { instances: "best" },
  Mask2Former: { instances: "best", scaled: { width: 384, height: 384 } },
  Detr: { instances: "apart" },
};

/** What exports call the masks of queries and the logits of their labels. */
const QUERY_OUTPUTS = [
  ["masks_queries_logits", "class_queries_logits"],
  ["pred_masks", "logits"],
] as const;

/**
 * A network that gives each place of a picture a label, or makes masks that have one. Throws an Error where config.json and
 * the graph do not fit together.
 */
export function segmentationDraft(
  config: Config,
  graph: Graph,
  { processor, image, inputs: [pictures, ...none], labels: given }: Given,
): Draft {
  const masks = graph.inputs.filter(({ name }) => name === "pixel_mask");
  if (!pictures || none.length > 0 || graph.inputs.length !== masks.length + 1)
    throw new Error(
      `A model for image-segmentation takes pixel_values, and may take pixel_mask; this one takes ${graph.inputs.map(({ name }) => name).join(", ")}.`,
    );
  const { labels, notes } = distinct(labelsOf(config, given));
  const end =
    queryEnd(config, graph, { processor, count: labels.length }) ?? labelEnd(graph, labels.length);
  const inputs = [pictures, ...masks];
  const manifest = { task: "image-segmentation", inputs, image, labels, ...end };
  return { graph, assets: [], notes, manifest };
}

interface End {
  outputs: TensorInfo[];
  segmentation: SegmentationSettings;
}

function labelEnd(graph: Graph, count: number): End {
  const output = graph.outputs.find(({ name }) => name === "logits") ?? graph.outputs[0];
  const [rows = -1, own = -1, height = -1, width = -1] = output?.shape ?? [];
  if (!output || output.shape.length !== 4 || (own >= 0 && own !== count))
    throw new Error(
      `config.json has ${count} labels, and a model for image-segmentation an output logits [-1, ${count}, height, width]; this one has ${shapesOf(graph)}.`,
    );
  const outputs = [{ ...output, shape: [rows, count, height, width] }];
  return { outputs, segmentation: { output: output.name } };
}

/** Undefined where the graph has no masks of queries. */
function queryEnd(
  config: Config,
  graph: Graph,
  { processor, count }: { processor: string; count: number },
): End | undefined {
  const named = (name: string) => graph.outputs.find((one) => one.name === name);
  const [masks, classes] =
    QUERY_OUTPUTS.map((names) => names.map(named)).find((both) => both.every(Boolean)) ?? [];
  if (!masks || !classes) return undefined;
  const [rows = -1, declared = -1, own = -1] = classes.shape;
  const configured = config.num_queries ?? config.decoder_config?.num_queries ?? -1;
  // What the graph says holds. Many exports leave it open.
  const queries = [declared, masks.shape[1] ?? -1].find((size) => size >= 0) ?? configured;
  if (masks.shape.length !== 4 || classes.shape.length !== 3 || (own >= 0 && own !== count + 1))
    throw new Error(
      `config.json has ${count} labels, and masks have ${count + 1} numbers for them, the last one for nothing; the graph has ${shapesOf(graph)}.`,
    );
  const read = Object.hasOwn(QUERIED, processor) ? QUERIED[processor] : undefined;
  if (!read)
    throw new Error(
      `preprocessor_config.json must have an image_processor_type that says what masks become: ${Object.keys(QUERIED).join(", ")}. Save it again with a newer transformers.`,
    );
  return {
    outputs: [masks, { ...classes, shape: [rows, queries, count + 1] }],
    segmentation: { output: masks.name, classes: classes.name, ...read },
  };
}

function shapesOf({ outputs }: Graph): string {
  return outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
}
