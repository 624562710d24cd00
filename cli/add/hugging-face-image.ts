import * as z from "zod";
import type { ImageOptions, ImageSettings } from "../../functions/tasks/image/options.ts";
import { checkSettings, only, readJson, rules, type Rule } from "./hugging-face-files.ts";
import { PROCESSORS, type Processor } from "./hugging-face-processors.ts";

const side = z.number().int().positive();
const rectangle = z.strictObject({ height: side, width: side });
const edges = z.strictObject({ shortest_edge: side, longest_edge: side });
const size = z.union([side, rectangle, z.strictObject({ shortest_edge: side }), edges]);
const channels = z.array(z.number()).min(1).max(3);

const schema = z.looseObject({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  size: size.nullish(),
  size_divisor: side.nullish(),
  // The longest edge, where an older file has the shortest as `size`.
  max_size: side.nullish(),
  crop_size: z.union([side, rectangle]).nullish(),
  do_resize: z.boolean().nullish(),
  do_center_crop: z.boolean().nullish(),
  do_rescale: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  crop_pct: z.number().positive().max(1).nullish(),
  resample: z.number().int().nullish(),
  rescale_factor: z.number().positive().nullish(),
  image_mean: channels.nullish(),
  image_std: channels.nullish(),
});
type Settings = z.infer<typeof schema>;

const RULES: Record<string, Rule> = {
  ...rules("used", ...Object.keys(schema.shape)),
  // The service makes every image RGB, or grey for a model with one channel. The order is channels, rows, columns.
  ...rules("harmless", "do_convert_rgb", "processor_class", "_processor_class", "auto_class"),
  ...rules("harmless", "_valid_processor_keys", "default_to_square", "return_tensors", "device"),
  ...rules(
    "harmless",
    "disable_grouping",
    "input_data_format",
    "do_reduce_labels",
    "reduce_labels",
  ),
  data_format: only("channels_first"),
  ...rules(only(), "pad_size"),
  // Padding is checked by the processor's class. The others are for training.
  ...rules("harmless", "do_pad", "format", "do_convert_annotations", "return_segmentation_masks"),
  ...rules("harmless", "ignore_index", "num_labels"),
  // Steps that the server does not have.
  ...rules(only(false), "do_flip_channel_order", "include_top", "rescale_offset"),
  ...rules(only(false), "do_thumbnail", "do_align_long_axis", "do_grayscale", "keep_aspect_ratio"),
  ...rules(only(1), "ensure_multiple_of"),
  auto_map: () => "it names a processor of its own code; add the .onnx file itself.",
};

/** Pillow's codes for the filters that the server has. */
const RESAMPLE: Record<number, ImageOptions["resample"]> = {
  0: "nearest",
  1: "lanczos",
  2: "bilinear",
  3: "bicubic",
  4: "box",
  5: "hamming",
};

/** These pad pictures only to the size of others in their batch, and here each has a run of its own. */
const DETECTORS = /Detr$|^Yolos$|^Mask2?Former$/;

/**
 * `preprocessor_config.json` as fields of the manifest, and the processor's name without its ending. Throws for a step that
 * the server does not have.
 */
export async function readImageOptions(
  path: string,
): Promise<{ image: ImageSettings; processor: string }> {
  const settings = await readJson(path, schema);
  if (!settings)
    throw new Error(
      `${path} is missing: it says how images become the model's input. Save it beside the model: AutoImageProcessor.from_pretrained(…).save_pretrained(…)`,
    );
  checkSettings(path, settings, RULES);
  const named = processorOf(settings, path);
  if (!DETECTORS.test(named.name))
    checkSettings(path, { do_pad: settings["do_pad"] ?? false }, rules(only(false), "do_pad"));
  const given = withDefaults(settings, named, path);
  const resample = RESAMPLE[given.resample];
  if (!resample)
    throw new Error(
      `${path}: resample ${given.resample} is none of ${Object.keys(RESAMPLE).join(", ")}.`,
    );
  if (named.isFast && resample !== "bilinear" && resample !== "bicubic")
    throw new Error(
      `${path}: torchvision resizes otherwise with resample ${given.resample} than the server. Save it again without use_fast, or with resample 2 or 3.`,
    );
  const target = targetOf(given, named);
  if (typeof target === "string") throw new Error(`${path}: ${target}`);
  const { mean, std } = given;
  if (mean.length !== std.length)
    throw new Error(
      `${path}: image_mean has ${mean.length} channels, image_std ${std.length}; both need as many as the model.`,
    );
  const none = (value: number): number[] => mean.map(() => value);
  const image: ImageSettings = {
    ...target,
    color: mean.length === 1 ? "grayscale" : "rgb",
    layout: "NCHW",
    resample,
    ...(named.isFast && { arithmetic: "torchvision" as const }),
    // This one cuts with torchvision's own function.
    ...(named.isFast && named.name === "ConvNext" && { crop: "even" as const }),
    // As `load_image` does, which pipelines use to read images.
    orientation: "exif",
    scale: given.do_rescale ? given.rescale_factor : 1,
    mean: given.do_normalize ? mean : none(0),
    std: given.do_normalize ? std : none(1),
  };
  return { image, processor: named.name };
}

/** The settings in the file, and the defaults of transformers for the others. */
type Given = ReturnType<typeof withDefaults>;

function withDefaults(settings: Settings, { name, processor, isFast }: Named, path: string) {
  const needed = <Value>(key: string, written: Value | null | undefined, own?: Value): Value => {
    const value = written ?? own;
    if (value === undefined)
      throw new Error(
        `${path} does not say ${key}, and no image_processor_type whose own one is known. Save it again with a newer transformers.`,
      );
    return value;
  };
  if (name === "EfficientNet" && settings["include_top"] !== false)
    throw new Error(
      `${path}: ${name} divides by image_std twice unless it says "include_top": false, which the server does not do; add the .onnx file itself, as a tensor model.`,
    );
  // Where the class has no such step, the setting changes nothing.
  const hasCrop = isFast || (processor?.crops ?? true);
  if (name === "ConvNext" && isFast && settings.do_center_crop)
    throw new Error(
      `${path}: "do_center_crop": true is not supported for ${name}ImageProcessorFast: it may be false, or absent.`,
    );
  return {
    size: sizeOf(settings),
    size_divisor: settings.size_divisor ?? processor?.divisor ?? 1,
    crop_size: settings.crop_size ?? undefined,
    crop_pct: settings.crop_pct ?? undefined,
    do_resize: settings.do_resize ?? true,
    do_center_crop: hasCrop && (settings.do_center_crop ?? processor?.do_center_crop ?? false),
    do_rescale: settings.do_rescale ?? true,
    do_normalize: settings.do_normalize ?? processor?.normalizes ?? true,
    rescale_factor: settings.rescale_factor ?? 1 / 255,
    resample: needed("resample", settings.resample, processor?.resample),
    mean: [...needed<readonly number[]>("image_mean", settings.image_mean, processor?.image_mean)],
    std: [...needed<readonly number[]>("image_std", settings.image_std, processor?.image_std)],
  };
}

function sizeOf({ size: written, max_size: longest }: Settings): Settings["size"] {
  return typeof written === "number" && longest
    ? { shortest_edge: written, longest_edge: longest }
    : written;
}

interface Named {
  /** The name without its ending. Empty if no file says it. */
  name: string;
  processor: Processor | undefined;
  /** Whether it computes with torchvision. */
  isFast: boolean;
}

function processorOf(
  { image_processor_type, feature_extractor_type }: Settings,
  path: string,
): Named {
  const written = image_processor_type || feature_extractor_type || "";
  const name = written.replace(/(ImageProcessor(Fast)?|FeatureExtractor)$/, "");
  const processor = Object.hasOwn(PROCESSORS, name) ? PROCESSORS[name] : undefined;
  const isFast = written.endsWith("Fast");
  if (written === "" || processor) return { name, processor, isFast };
  throw new Error(
    `${path}: the steps of ${written} are not known to the server; add the .onnx file itself, as a tensor model.`,
  );
}

/** The size that the model gets, and how the image is brought to it. A string says why this is not possible. */
function targetOf(
  { size: given, size_divisor: divisor, crop_size, crop_pct, do_resize, do_center_crop }: Given,
  { name, processor }: Named,
): Pick<ImageOptions, "width" | "height" | "resize"> | string {
  if (!do_resize || given === undefined || given === null)
    return "it must resize to a size that it names.";
  // Some processors take one number for both edges, others for the shorter one.
  const isSquare = processor?.square ?? !do_center_crop;
  if (typeof given === "object" && "height" in given && isUneven(given, divisor))
    return `size_divisor rounds sizes up, which the server does only where the ratio is kept: size must be a height and a width that are multiples of ${divisor}.`;
  if (typeof given === "number" && !processor && do_center_crop)
    return "size must say shortest_edge, or height and width: save it again with a newer transformers.";
  const wanted: Wanted | z.infer<typeof edges> =
    typeof given !== "number" ? given : isSquare ? square(given) : { shortest_edge: given };
  if (hasBothEdges(wanted)) {
    const { shortest_edge: shortestEdge, longest_edge: longestEdge } = wanted;
    const multipleOf = processor?.multipleOf;
    if (do_center_crop) return "a centre crop with size.longest_edge is not supported.";
    return {
      ...square(longestEdge),
      resize: {
        shortestEdge,
        longestEdge,
        ...(multipleOf !== undefined && { multipleOf }),
        ...(divisor > 1 && { multipleOf: divisor, rounding: "up" }),
      },
    };
  }
  if (name === "ConvNext") return likeConvNext(wanted, crop_pct);
  if (!do_center_crop)
    return "height" in wanted
      ? wanted
      : "size.shortest_edge without a centre crop gives images of different sizes.";
  if (!crop_size) return "do_center_crop needs crop_size.";
  const cut = typeof crop_size === "number" ? square(crop_size) : crop_size;
  const resize = "height" in wanted ? wanted : { shortestEdge: wanted.shortest_edge };
  const smallest = "height" in resize ? resize : square(resize.shortestEdge);
  if (cut.width > smallest.width || cut.height > smallest.height)
    return "crop_size is larger than the image that it is cut out of, and the server does not pad.";
  return { ...cut, resize };
}

function isUneven({ height, width }: z.infer<typeof rectangle>, divisor: number): boolean {
  return height % divisor > 0 || width % divisor > 0;
}

function hasBothEdges(size: object): size is z.infer<typeof edges> {
  return "longest_edge" in size;
}

type Wanted = { width: number; height: number } | { shortest_edge: number };

/** ConvNeXT resizes small images and crops them to `crop_pct` of that. It squeezes larger ones. */
function likeConvNext(wanted: Wanted, share = CONVNEXT_CROP) {
  if ("height" in wanted) return "ConvNeXT needs size.shortest_edge.";
  const { shortest_edge: edge } = wanted;
  if (edge >= CONVNEXT_SQUEEZED_FROM) return square(edge);
  return { ...square(edge), resize: { shortestEdge: Math.floor(edge / share) } };
}

const CONVNEXT_SQUEEZED_FROM = 384;
const CONVNEXT_CROP = 224 / 256;

function square(edge: number): { width: number; height: number } {
  return { width: edge, height: edge };
}
