import * as z from "zod";

const channels = z.array(z.number()).min(1).max(3);
const side = z.number().int().positive().max(4096);
const level = z.number().int().min(0).max(255);

export const RESAMPLES = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] as const;

const image = z.strictObject({
  width: side.describe("Of the graph's input, in pixels."),
  height: side.describe("Of the graph's input, in pixels."),
  resize: z
    .union([
      z.strictObject({ shortestEdge: side }),
      z.strictObject({ width: side, height: side }),
      z.strictObject({
        shortestEdge: side,
        longestEdge: side,
        multipleOf: z.number().int().positive().max(256).optional(),
        rounding: z.enum(["down", "up"]).optional(),
      }),
      z.strictObject({ pad: z.array(level).min(1).max(3) }),
      z.strictObject({ fill: z.number(), leastWidth: side.optional() }),
    ])
    .optional()
    .describe(
      'Resizes the image first, then cuts out its centre. The value is a size, or a length for the shorter edge, which keeps the ratio. With `pad`, the whole image keeps its ratio, and this colour (red, green, blue, or one grey) fills the rest on both sides, as Pillow\'s `ImageOps.pad` does. With `longestEdge`, nothing is cut: each image keeps its ratio and has a size of its own, whose shorter edge is `shortestEdge` unless the longer one would be above `longestEdge`; both are then made a multiple of `multipleOf`: the next one below, or with `"rounding": "up"` above, as MaskFormer has it. `width` and `height` are then `longestEdge`, and the graph\'s input is free in both. With `fill`, a line of text gets the whole `height` and the width of its ratio, and this number, as the graph gets it, fills the rest at its right; a line that is too long for `width` is squeezed. With `leastWidth` too, the graph\'s input is free in its width: each line has its own, filled up to `leastWidth`, and one that needs more than `width` is refused. When absent, the image is resized to `width` × `height`.',
    ),
  color: z
    .enum(["grayscale", "rgb", "bgr"])
    .describe("The graph's channels in their order: `bgr` as OpenCV and Caffe have them."),
  layout: z
    .enum(["NCHW", "NHWC"])
    .describe("The order of the graph's dimensions; C are the channels."),
  resample: z.enum(RESAMPLES).describe("The filter for resizing, by Pillow's names."),
  orientation: z
    .enum(["exif", "ignore"])
    .default("ignore")
    .describe(
      "`exif` first turns a photo upright, as its EXIF or XMP data say. Cameras store how they were held.",
    ),
  arithmetic: z
    .enum(["pillow", "torchvision", "opencv"])
    .default("pillow")
    .describe(
      "How resizing and normalising round: as Pillow and Hugging Face's processors do, or as torchvision and the processors whose names end in `Fast` do. With `torchvision`, `resample` is `bilinear` or `bicubic`. `opencv` resizes between two neighbours, however much smaller the image gets, as YOLO is trained: `resample` is `bilinear`, and nothing is cut.",
    ),
  crop: z
    .enum(["down", "even"])
    .default("down")
    .describe(
      "How a centre at half a pixel is rounded: down, or to the even number as in torchvision's `center_crop`.",
    ),
  scale: z.number().positive().describe("Such as 1/255."),
  mean: channels.describe("One number a channel, in the order of `color`."),
  std: channels.describe("One number a channel, in the order of `color`."),
});

export type ImageOptions = z.output<typeof image>;
/** The options as they are written in a manifest. */
export type ImageSettings = z.input<typeof image>;

/** Whether each image keeps its ratio and has a size of its own, so that no two go into one run. */
export function hasOwnSize({ resize }: Pick<ImageOptions, "resize">): boolean {
  return resize !== undefined && ("longestEdge" in resize || leastWidthOf(resize) !== undefined);
}

/** The least width of a line of text, where the graph takes any. */
export function leastWidthOf(resize: ImageOptions["resize"]): number | undefined {
  return resize && "fill" in resize ? resize.leastWidth : undefined;
}

/** How many channels the graph's input has. */
export function channelsOf({ color }: Pick<ImageOptions, "color">): 1 | 3 {
  return color === "grayscale" ? 1 : 3;
}

export const imageOptions = {
  image: image.describe(
    "How an image becomes the graph's input. In each channel, a pixel (0 to 255) becomes `(pixel × scale − mean) / std`.",
  ),
};

export const IMAGE_SCHEMA = {
  type: "string",
  contentEncoding: "base64",
  description: "A JPEG, PNG or WebP image in base64.",
};

/** A PNG of 32 × 32 pixels: red grows to the right, green downwards, blue along both. */
export const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAo0lEQVR42rXNEReDUBiA4a9zggtBMAiCC0EwCAZBEARBcGEQBMEgCIIgGAzD4XA4DMPhMAzD4XDYr3jPefyxRESJzbFE2XDgKjjwHDjQLhyEBziIPDiIfThINRzkARyYEA7KIxzUERw0JzjoYjgYEji4pXAwZnBwz+HgUcDB08DB6wwHUwkHcwUH7xoOPhc4WBo4WFs42Do4+PZw8Bvg4H9Fgx1NpUXh4t7ZAAAAAABJRU5ErkJggg==";
