import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import { MOST_DETECTIONS } from "../../functions/tasks/object-detection/options.ts";
import { detectionHeadOf, type Activation } from "./detection-head.ts";
import type { Draft } from "./from-file.ts";
import { labelsOf } from "./hugging-face-head.ts";
import type { Config } from "./hugging-face-kind.ts";

interface End {
  activation: Activation;
  /** The most boxes that `post_process_object_detection` makes, of all queries and labels. One for each query where absent. */
  most?: number;
}

/** What the processors of transformers make of logits, by their names without the ending. */
const ENDS: Readonly<Record<string, End>> = {
  Detr: { activation: "softmax" },
  Yolos: { activation: "softmax" },
  ConditionalDetr: { activation: "sigmoid", most: 100 },
  DeformableDetr: { activation: "sigmoid", most: 100 },
  RTDetr: { activation: "sigmoid" },
};

interface Given {
  /** The processor's name without its ending. */
  processor: string;
  image: ImageSettings;
  inputs: TensorInfo[];
  labels: readonly string[] | undefined;
}

/** A DETR, or what came from it. Throws an Error where config.json and the graph do not fit together. */
export async function detectionDraft(
  config: Config,
  graph: Graph,
  { processor, image, inputs: [pictures, ...none], labels: given }: Given,
): Promise<Draft> {
  const masks = graph.inputs.filter(({ name }) => name === "pixel_mask");
  if (!pictures || none.length > 0 || graph.inputs.length !== masks.length + 1)
    throw new Error(
      `A model for object-detection takes pixel_values, and may take pixel_mask; this one takes ${graph.inputs.map(({ name }) => name).join(", ")}.`,
    );
  const end = Object.hasOwn(ENDS, processor) ? ENDS[processor] : undefined;
  if (!end)
    throw new Error(
      `preprocessor_config.json must have the image_processor_type of a detector: ${Object.keys(ENDS).join(", ")}. It says how logits become scores. Save it again with a newer transformers.`,
    );
  const { labels, notes } = distinct(labelsOf(config, given));
  const inputs = [pictures, ...masks];
  const { resize } = image;
  const { outputs, detection } = await detectionHeadOf(graph, inputs, {
    labels,
    head: "detr",
    activation: end.activation,
    edge: resize && "longestEdge" in resize ? resize.shortestEdge : undefined,
  });
  const queries = config.num_queries ?? config.num_detection_tokens ?? outputs[1]?.shape[1] ?? -1;
  const most = Math.min(end.most ?? queries, MOST_DETECTIONS);
  return {
    graph,
    assets: [],
    notes,
    manifest: {
      task: "object-detection",
      inputs,
      outputs,
      image,
      labels,
      detection: { ...detection, ...(most > 0 && { maxDetections: most }) },
    },
  };
}

/** Labels that no picture of the training has often share a name, such as N/A. Here each has its own. */
export function distinct(labels: readonly string[]): { labels: string[]; notes: string[] } {
  const again = (label: string, id: number) => labels.indexOf(label) < id;
  const named = labels.map((label, id) => (again(label, id) ? `${label} (${id})` : label));
  const first = labels.find(again);
  const note = `Several labels are called ${first}: behind the first, each has its number, such as ${named.find((label, id) => label !== labels[id])}.`;
  return { labels: named, notes: first === undefined ? [] : [note] };
}
