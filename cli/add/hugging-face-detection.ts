import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import { detectionHeadOf } from "./detection-head.ts";
import type { Draft } from "./from-file.ts";
import { labelsOf } from "./hugging-face-head.ts";
import type { Config } from "./hugging-face-kind.ts";

/** Of these, `post_process_object_detection` takes the best hundred of all queries and labels. Of others, one for each query. */
const BEST_HUNDRED = /^(?:conditional|deformable)_detr$/;

interface Given {
  image: ImageSettings;
  inputs: TensorInfo[];
  labels: readonly string[] | undefined;
}

/** A DETR, or what came from it. Throws an Error where config.json and the graph do not fit together. */
export async function detectionDraft(
  config: Config,
  graph: Graph,
  { image, inputs: [pictures, ...none], labels: given }: Given,
): Promise<Draft> {
  const masks = graph.inputs.filter(({ name }) => name === "pixel_mask");
  if (!pictures || none.length > 0 || graph.inputs.length !== masks.length + 1)
    throw new Error(
      `A model for object-detection takes pixel_values, and may take pixel_mask; this one takes ${graph.inputs.map(({ name }) => name).join(", ")}.`,
    );
  const { labels, notes } = distinct(labelsOf(config, given));
  const inputs = [pictures, ...masks];
  const { outputs, detection } = await detectionHeadOf(graph, inputs, { labels, head: "detr" });
  const queries = config.num_queries ?? config.num_detection_tokens ?? outputs[1]?.shape[1] ?? -1;
  const most = BEST_HUNDRED.test(config.model_type ?? "") ? 100 : queries;
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
