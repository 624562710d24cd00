import * as z from "zod";
import { imageOptions } from "../image/options.ts";

export const SUBTASKS = ["panoptic", "instance", "semantic"] as const;
export type Subtask = (typeof SUBTASKS)[number];

const edge = z.number().int().positive().max(512);
const share = z.number().min(0).max(1);

/** As transformers' pipeline has it where the request does not say it. */
export const THRESHOLD = 0.9;

export const imageSegmentationOptions = {
  ...imageOptions,
  segmentation: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output with a number for each label and place, [-1, labels, height, width]: FP32, FP64 or FP16. It is resized to the picture, and each pixel gets the label with the highest number. With `classes`, the logits of masks, [-1, queries, height, width].",
        ),
      classes: z
        .string()
        .optional()
        .describe(
          "MaskFormer, Mask2Former, DETR: the output with logits of each query's labels, [-1, queries, labels + 1], the last one for nothing.",
        ),
      scaled: z
        .strictObject({ width: edge, height: edge })
        .optional()
        .describe(
          "`classes`: the size that masks are resized to before anything else. Mask2Former has 384 × 384.",
        ),
      instances: z
        .enum(["best", "apart"])
        .optional()
        .describe(
          "`classes`, which needs it: what the subtask `instance` is. `best` (MaskFormer, Mask2Former): the pairs of a query and a label with the highest scores, whose masks may overlap. `apart` (DETR): as `panoptic`.",
        ),
    })
    .describe("Where the masks come from."),
};

/** The field `segmentation` as it is written in a manifest. */
export type SegmentationSettings = z.input<typeof imageSegmentationOptions.segmentation>;

export const imageSegmentationParameters = z.strictObject({
  subtask: z
    .enum(SUBTASKS)
    .optional()
    .describe(
      "What the picture is divided into: `semantic` into labels, `instance` into things, `panoptic` into things and the rest. Models with `segmentation.classes` can do all, and `panoptic` when absent; others only `semantic`.",
    ),
  threshold: share
    .default(THRESHOLD)
    .describe("`panoptic` and `instance`: a segment needs a higher score."),
  mask_threshold: share
    .default(0.5)
    .describe(
      "`panoptic`, and DETR's `instance`: a pixel is inside of a query's mask from this weighed probability on.",
    ),
  overlap_mask_area_threshold: share
    .default(0.5)
    .describe(
      "`panoptic`, and DETR's `instance`: a query needs a larger part of its mask for itself, or it is left out.",
    ),
  encoding: z
    .enum(["png", "rle"])
    .default("png")
    .describe(
      "How masks are written: `png` is a grey image in base64, white where the mask is; `rle` is COCO's compressed run-length code, as pycocotools reads it.",
    ),
});

export type ImageSegmentationParameters = z.output<typeof imageSegmentationParameters>;
