import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import type { Draft } from "./from-file.ts";
import { distinct } from "./hugging-face-detection.ts";
import { labelsOf } from "./hugging-face-head.ts";
import type { Config } from "./hugging-face-kind.ts";

interface Given {
  image: ImageSettings;
  inputs: TensorInfo[];
  labels: readonly string[] | undefined;
}

/** A network that gives each place of a picture a label. Throws an Error where config.json and the graph do not fit together. */
export function segmentationDraft(
  config: Config,
  graph: Graph,
  { image, inputs, labels: given }: Given,
): Draft {
  const { labels, notes } = distinct(labelsOf(config, given));
  const output = graph.outputs.find(({ name }) => name === "logits") ?? graph.outputs[0];
  const [rows = -1, count = -1, height = -1, width = -1] = output?.shape ?? [];
  if (!output || output.shape.length !== 4 || (count >= 0 && count !== labels.length))
    throw new Error(
      `config.json has ${labels.length} labels, and a model for image-segmentation an output logits [-1, ${labels.length}, height, width]; this one has ${graph.outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ")}.`,
    );
  return {
    graph,
    assets: [],
    notes,
    manifest: {
      task: "image-segmentation",
      inputs,
      outputs: [{ ...output, shape: [rows, labels.length, height, width] }],
      image,
      labels,
      segmentation: { output: output.name },
    },
  };
}
