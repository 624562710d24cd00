import * as z from "zod";
import { imageOptions } from "../image/options.ts";

export const DETECTION_HEADS = ["detr", "yolo", "yolo-objectness", "boxes"] as const;

/** The most boxes of a picture that a manifest may ask for. */
export const MOST_DETECTIONS = 1000;

export const objectDetectionOptions = {
  ...imageOptions,
  detection: z
    .strictObject({
      head: z
        .enum(DETECTION_HEADS)
        .describe(
          "What the graph ends with. `detr`: [-1, queries, 4] with centres and sizes as parts of the picture, and `logits` beside it. `yolo` (8, 11): [-1, 4 + labels, places] with centres and sizes in pixels of the input. `yolo-objectness` (5, 7): [-1, places, 5 + labels], where the fifth number says whether there is anything. `boxes` (YOLO 10, 26, and exports that remove overlaps themselves): [-1, boxes, 6] with two corners in pixels of the input, a score and the label's number.",
        ),
      output: z.string().describe("The output with the boxes: FP32, FP64 or FP16."),
      logits: z
        .string()
        .optional()
        .describe("`detr`: the output with a number for each query and label."),
      activation: z
        .enum(["softmax", "sigmoid"])
        .optional()
        .describe(
          "`detr`: how logits become scores. With `softmax` they have one more label at their end, for nothing, and each query has one label. With `sigmoid` each label of a query may be a box.",
        ),
      threshold: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe("A box needs a higher score, where the request does not say `threshold`."),
      iou: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          "`yolo` and `yolo-objectness`, which need it: of two boxes with one label that share more than this part of what both cover, only that with the higher score stays.",
        ),
      maxDetections: z
        .number()
        .int()
        .positive()
        .max(MOST_DETECTIONS)
        .default(300)
        .describe("The most boxes of a picture: those with the highest scores."),
    })
    .describe("Where the boxes are, and which of them become the answer."),
};

/** The field `detection` as it is written in a manifest. */
export type DetectionSettings = z.input<typeof objectDetectionOptions.detection>;

export const objectDetectionParameters = z.strictObject({
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("A box needs a higher score than this. The model's own when absent."),
});

export type ObjectDetectionParameters = z.output<typeof objectDetectionParameters>;
