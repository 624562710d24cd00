import * as z from "zod";
import { imageOptions } from "../image/options.ts";
import { textOptions } from "../text/options.ts";
import { templateOf } from "../zero-shot-classification/options.ts";

export const zeroShotImageOptions = {
  zeroShot: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output that says how well each picture fits each text: FP32, FP64 or FP16, [-1, -1], such as `logits_per_image`.",
        ),
      activation: z
        .enum(["softmax", "sigmoid"])
        .describe(
          "How its numbers become scores: `softmax` over a picture's labels, as for CLIP, or a `sigmoid` for each, as for SigLIP.",
        ),
    })
    .describe(
      "Where the numbers are, and how they become scores. The graph takes pictures and texts, each as many as there are, so `batchDimension` is null. A fixed number of tokens in the shape of `input_ids` is padded to.",
    ),
  ...imageOptions,
  ...textOptions,
};

/** The field `zeroShot` as it is written in a manifest. */
export type ZeroShotImageSettings = z.input<typeof zeroShotImageOptions.zeroShot>;

export const zeroShotImageParameters = z.strictObject({
  candidate_labels: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "The labels to choose from, each once. The graph reads each of them for each picture. Absent where each input has its own.",
    ),
  hypothesis_template: templateOf("This is a photo of {}.").describe(
    "The sentence that is compared with the picture, with {} for the label.",
  ),
});

export type ZeroShotImageParameters = z.output<typeof zeroShotImageParameters>;
