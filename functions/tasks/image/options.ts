import * as z from "zod";

const channels = z.array(z.number()).min(1).max(3);
const side = z.number().int().positive().max(4096);

/** A pixel (0 to 255) becomes `(pixel × scale − mean) / std`, by channel. */
const image = z.strictObject({
  width: side,
  height: side,
  /**
   * What the image is resized to before its centre, `width` × `height`, is cut out: a size, or how long
   * the shorter edge gets, the ratio kept. Absent: it is resized to `width` × `height`.
   */
  resize: z
    .union([z.strictObject({ shortestEdge: side }), z.strictObject({ width: side, height: side })])
    .optional(),
  color: z.enum(["grayscale", "rgb"]),
  layout: z.enum(["NCHW", "NHWC"]),
  resample: z.enum(["nearest", "bilinear", "bicubic"]),
  scale: z.number().positive(),
  mean: channels,
  std: channels,
});

export type ImageOptions = z.output<typeof image>;

export const imageOptions = {
  /** How an image becomes the graph's input. */
  image,
};
