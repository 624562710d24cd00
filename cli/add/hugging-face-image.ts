import * as z from "zod";
import type { ImageOptions } from "../../functions/model/manifest.ts";

const size = z.union([
  z.number().int().positive(),
  z.object({ height: z.number().int().positive(), width: z.number().int().positive() }),
  z.object({ shortest_edge: z.number().int().positive() }),
]);

const schema = z.object({
  size: size.optional(),
  do_resize: z.boolean().default(true),
  do_center_crop: z.boolean().default(false),
  do_rescale: z.boolean().default(true),
  do_normalize: z.boolean().default(true),
  resample: z.number().int().default(2),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  image_mean: z.array(z.number()).min(1).max(3).default([0.5, 0.5, 0.5]),
  image_std: z.array(z.number()).min(1).max(3).default([0.5, 0.5, 0.5]),
});

/** Pillow's codes for the filters that the server has. */
const RESAMPLE: Record<number, ImageOptions["resample"]> = {
  0: "nearest",
  2: "bilinear",
  3: "bicubic",
};

/** `preprocessor_config.json` in the manifest's terms. Throws on a step that the server does not have. */
export function imageOptions(json: unknown, path: string): ImageOptions {
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new Error(`${path} is missing or not readable: ${z.prettifyError(parsed.error)}`);
  const settings = parsed.data;
  const resample = RESAMPLE[settings.resample];
  if (!resample)
    throw new Error(
      `${path}: resample ${settings.resample} is none of ${Object.keys(RESAMPLE).join(", ")}.`,
    );
  if (settings.do_center_crop)
    throw new Error(
      `${path} crops the centre of the image, which the server does not: it would see other pixels than the model learned from.`,
    );
  const target = typeof settings.size === "number" ? square(settings.size) : settings.size;
  if (!settings.do_resize || !target || !("height" in target))
    throw new Error(`${path} must resize to a fixed height and width.`);
  const channels = settings.image_mean.length;
  const none = (value: number): number[] => Array.from({ length: channels }, () => value);
  return {
    width: target.width,
    height: target.height,
    color: channels === 1 ? "grayscale" : "rgb",
    layout: "NCHW",
    resample,
    scale: settings.do_rescale ? settings.rescale_factor : 1,
    mean: settings.do_normalize ? settings.image_mean : none(0),
    std: settings.do_normalize ? settings.image_std : none(1),
  };
}

function square(side: number): { width: number; height: number } {
  return { width: side, height: side };
}
