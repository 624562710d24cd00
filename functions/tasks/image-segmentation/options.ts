import * as z from "zod";
import { imageOptions } from "../image/options.ts";

export const imageSegmentationOptions = {
  ...imageOptions,
  segmentation: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output with a number for each label and place, [-1, labels, height, width]: FP32, FP64 or FP16. It is resized to the picture, and each pixel gets the label with the highest number.",
        ),
    })
    .describe("Where the masks come from."),
};

/** The field `segmentation` as it is written in a manifest. */
export type SegmentationSettings = z.input<typeof imageSegmentationOptions.segmentation>;

export const imageSegmentationParameters = z.strictObject({
  encoding: z
    .enum(["png", "rle"])
    .default("png")
    .describe(
      "How masks are written: `png` is a grey image in base64, white where the mask is; `rle` is COCO's compressed run-length code, as pycocotools reads it.",
    ),
});

export type ImageSegmentationParameters = z.output<typeof imageSegmentationParameters>;
