import * as z from "zod";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";

const side = z.number().int().positive();
const rectangle = z.object({ height: side, width: side });
const size = z.union([side, rectangle, z.object({ shortest_edge: side })]);

const step = z.literal(false, "the server does not have this step").nullish();

const schema = z.object({
  size: size.optional(),
  do_resize: z.boolean().default(true),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([side, rectangle]).nullish(),
  crop_pct: z.number().positive().max(1).nullish(),
  image_processor_type: z.string().default(""),
  feature_extractor_type: z.string().default(""),
  do_rescale: z.boolean().default(true),
  do_normalize: z.boolean().default(true),
  resample: z.number().int().default(2),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  image_mean: z.array(z.number()).min(1).max(3).default([0.5, 0.5, 0.5]),
  image_std: z.array(z.number()).min(1).max(3).default([0.5, 0.5, 0.5]),
  do_flip_channel_order: step,
  do_pad: step,
  include_top: step,
  rescale_offset: step,
});
type Settings = z.infer<typeof schema>;

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
  const target = targetOf(settings);
  if (typeof target === "string") throw new Error(`${path}: ${target}`);
  const channels = settings.image_mean.length;
  const none = (value: number): number[] => Array.from({ length: channels }, () => value);
  return {
    ...target,
    color: channels === 1 ? "grayscale" : "rgb",
    layout: "NCHW",
    resample,
    scale: settings.do_rescale ? settings.rescale_factor : 1,
    mean: settings.do_normalize ? settings.image_mean : none(0),
    std: settings.do_normalize ? settings.image_std : none(1),
  };
}

/** The size that the model gets, and how the image is brought to it; a string says why not. */
function targetOf(settings: Settings): Pick<ImageOptions, "width" | "height" | "resize"> | string {
  const processor = settings.image_processor_type || settings.feature_extractor_type;
  if (!settings.do_resize || settings.size === undefined)
    return "it must resize to a size that it names.";
  // These have steps or sizes of their own, which the settings do not show.
  if (/^(Levit|Perceiver|PoolFormer|MobileViT)/.test(processor))
    return `the steps of ${processor} are not known to the server; add the .onnx file itself, as a tensor model.`;
  if (processor.startsWith("ConvNext")) return likeConvNext(settings);
  if (!settings.do_center_crop) {
    if (typeof settings.size === "number") return square(settings.size);
    if ("height" in settings.size) return settings.size;
    return "size.shortest_edge without a centre crop gives images of different sizes.";
  }
  // Some processors take one number for both edges, others for the shorter one.
  if (typeof settings.size === "number")
    return "size must say shortest_edge, or height and width: save it again with a newer transformers.";
  if (!settings.crop_size) return "do_center_crop needs crop_size.";
  const cut =
    typeof settings.crop_size === "number" ? square(settings.crop_size) : settings.crop_size;
  const resize =
    "height" in settings.size ? settings.size : { shortestEdge: settings.size.shortest_edge };
  const smallest = "height" in resize ? resize : square(resize.shortestEdge);
  if (cut.width > smallest.width || cut.height > smallest.height)
    return "crop_size is larger than the image that it is cut out of, and the server does not pad.";
  return { ...cut, resize };
}

/** ConvNeXT crops small images, to `crop_pct` of what they are resized to, and squeezes larger ones. */
function likeConvNext({ size: given, crop_pct: share }: Settings) {
  if (given === undefined) return "it must name a size.";
  const edge =
    typeof given === "number" ? given : "height" in given ? undefined : given.shortest_edge;
  if (edge === undefined) return "ConvNeXT needs size.shortest_edge.";
  if (edge >= CONVNEXT_SQUEEZED_FROM) return square(edge);
  return {
    ...square(edge),
    resize: { shortestEdge: Math.floor(edge / (share ?? CONVNEXT_CROP)) },
  };
}

const CONVNEXT_SQUEEZED_FROM = 384;
const CONVNEXT_CROP = 224 / 256;

function square(side: number): { width: number; height: number } {
  return { width: side, height: side };
}
