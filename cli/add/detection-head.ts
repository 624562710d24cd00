import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import {
  DETECTION_HEADS,
  type DetectionSettings,
} from "../../functions/tasks/object-detection/options.ts";
import { isFloat } from "./classifier.ts";
import { probe } from "./probe.ts";

export type HeadKind = (typeof DETECTION_HEADS)[number];

/** What ultralytics' own predictor leaves out: scores that are not above it, and overlaps above it. */
const YOLO = { threshold: 0.25, iou: 0.7 };

export interface DetectionOutputs {
  outputs: TensorInfo[];
  detection: DetectionSettings;
}

/** What is known of the graph's end besides its shapes. */
interface Known {
  labels: readonly string[];
  head?: HeadKind | undefined;
  /** How DETR's logits become scores. */
  activation?: Activation | undefined;
  /** The width and height of pictures whose size is their own. */
  edge?: number | undefined;
}

export type Activation = NonNullable<DetectionSettings["activation"]>;

/**
 * What a graph with boxes ends with, by the shapes of its outputs and the number of labels. Throws an Error that asks for
 * `--head` where several ends have that shape, for `--scores` where nothing says what logits are, or says which shapes
 * there may be.
 */
export async function detectionHeadOf(
  graph: Graph,
  inputs: readonly TensorInfo[],
  { labels, head, activation, edge }: Known,
): Promise<DetectionOutputs> {
  const outputs = (await withSizes(graph, inputs, edge)).filter(
    (one) => isFloat(one) && one.shape.length === 3,
  );
  const possible = outputs.flatMap((output) =>
    kindsOf(output, outputs, labels.length).map((kind) => ({ kind, output })),
  );
  const found = possible.filter(({ kind }) => head === undefined || kind === head);
  const [first, ...others] = found;
  const shapes = graph.outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
  if (!first)
    throw new Error(
      `The graph has ${shapes}. With ${labels.length} labels, an output with boxes is [-1, ${4 + labels.length}, places] (YOLO 8 and 11), [-1, places, ${5 + labels.length}] (YOLO 5 and 7), [-1, boxes, 6] (overlaps are removed), or [-1, queries, 4] beside logits [-1, queries, ${labels.length + 1}] or [-1, queries, ${labels.length}] (DETR). Are these all labels, in their order?`,
    );
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  if (kinds.length > 1)
    throw new Error(
      `The graph has ${shapes}, which may be ${kinds.join(" or ")}. Say which one with --head.`,
    );
  if (others.length > 0)
    throw new Error(
      `The graph has ${shapes}, and boxes may be in ${found.map(({ output }) => output.name).join(" or ")}. Say which one as the field detection of --options.`,
    );
  const { kind, output } = first;
  if (kind === "detr") return detrOutputs(graph, output, outputs, { labels, activation });
  if (activation)
    throw new Error(`--scores goes with the head detr; here scores are in ${output.name}.`);
  const { threshold, iou } = YOLO;
  const detection = { head: kind, output: output.name, threshold };
  const isYolo = kind !== "boxes";
  return {
    outputs: [declared(graph, output, kind === "yolo" ? 1 : 2)],
    detection: { ...detection, ...(isYolo && { iou }) },
  };
}

/** All ends that an output may be. */
function kindsOf(
  output: TensorInfo,
  outputs: readonly TensorInfo[],
  labelCount: number,
): HeadKind[] {
  const [, second, third] = output.shape;
  const logits = logitsOf(outputs, labelCount);
  // By its name, it has no boxes, however wide it is.
  if (output.name === LOGITS && output === logits) return [];
  return DETECTION_HEADS.filter(
    (kind) =>
      ({
        detr:
          third === 4 && logits !== undefined && output !== logits && !isOtherThan(output, outputs),
        yolo: second === 4 + labelCount && third !== 6,
        "yolo-objectness": third === 5 + labelCount,
        boxes: third === 6,
      })[kind],
  );
}

/** The names of Hugging Face's exports. */
const [LOGITS, BOXES] = ["logits", "pred_boxes"];

/** Whether another output has the boxes, by its name. */
function isOtherThan({ name }: TensorInfo, outputs: readonly TensorInfo[]): boolean {
  return name !== BOXES && outputs.some((one) => one.name === BOXES && one.shape[2] === 4);
}

function logitsOf(outputs: readonly TensorInfo[], labelCount: number): TensorInfo | undefined {
  const wide = outputs.filter(
    ({ name, shape: [, , width] }) =>
      name !== BOXES && (width === labelCount || width === labelCount + 1),
  );
  return wide.find(({ name }) => name === LOGITS) ?? (wide.length === 1 ? wide[0] : undefined);
}

/**
 * DETR's two outputs. One logit more than there are labels is for nothing, which only a softmax has. The width alone does
 * not say it: labels that someone wrote down may have one for nothing too.
 */
function detrOutputs(
  graph: Graph,
  boxes: TensorInfo,
  outputs: readonly TensorInfo[],
  { labels, activation }: Pick<Known, "labels" | "activation">,
): DetectionOutputs {
  const logits = logitsOf(outputs, labels.length);
  if (!logits) throw new Error("The graph has no output with a number for each label.");
  const width = logits.shape[2] ?? 0;
  if (!activation)
    throw new Error(
      `The graph does not show how ${logits.name} become scores. Say it with --scores: softmax (DETR, YOLOS), where the last of the ${width} numbers is for nothing and has no name in the labels, or sigmoid (RT-DETR, deformable and conditional DETR), where each has a label.`,
    );
  const wanted = labels.length + (activation === "softmax" ? 1 : 0);
  if (width !== wanted)
    throw new Error(
      `${logits.name} has ${width} numbers for each box. With ${activation} and ${labels.length} labels it has ${wanted}${activation === "softmax" ? ": the last one is for nothing, and has no label" : ""}.`,
    );
  return {
    outputs: [declared(graph, logits, 2), declared(graph, boxes, 2)],
    detection: { head: "detr", output: boxes.name, logits: logits.name, activation },
  };
}

/** The output as the graph declares it, with the sizes that its end must have. How many boxes there are may vary. */
function declared(graph: Graph, { name, shape }: TensorInfo, fixed: 1 | 2): TensorInfo {
  const own = graph.outputs.find((one) => one.name === name);
  if (!own) throw new Error(`The graph has no output ${name}.`);
  const sizes = own.shape.length === 3 ? own.shape : [-1, -1, -1];
  return {
    ...own,
    shape: sizes.map((size, axis) => (axis === fixed ? (shape[axis] ?? size) : size)),
  };
}

/** The outputs with sizes that the graph does not declare, as a run with a made-up picture shows them. */
async function withSizes(
  graph: Graph,
  inputs: readonly TensorInfo[],
  edge = -1,
): Promise<TensorInfo[]> {
  if (graph.outputs.every(({ shape }) => shape.slice(1).every((size) => size >= 0)))
    return graph.outputs;
  const tensors = await probe(
    graph,
    inputs.map((input) => ({
      ...input,
      shape: [1, ...input.shape.slice(1).map((size) => (size === -1 ? edge : size))],
    })),
  );
  return graph.outputs.map((output) => {
    const [, ...made] = tensors?.[output.name]?.shape ?? [];
    const [rows = -1, ...declared] = output.shape;
    if (made.length !== declared.length) return output;
    return { ...output, shape: [rows, ...made] };
  });
}
