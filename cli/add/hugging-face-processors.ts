/** The defaults of an image processor of transformers, for settings that `preprocessor_config.json` lacks. */
export interface Processor {
  /** Pillow's code of the filter. */
  resample: number;
  image_mean: readonly number[];
  image_std: readonly number[];
  do_center_crop: boolean;
  /** Whether it has that step at all. The processors whose names end in `Fast` all have it. */
  crops: boolean;
  /** Whether one number as `size` means both edges, or the shorter one. */
  square: boolean;
  /** Whether it subtracts the mean where its settings do not say it. */
  normalizes?: false;
  /** Sizes that keep the ratio are made a multiple of it. */
  multipleOf?: number;
  /** What edges are rounded up to a multiple of, where its settings do not say it. */
  divisor?: number;
}

const [NEAREST, BILINEAR, BICUBIC] = [0, 2, 3];
const HALF = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const CLIP_COLORS = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

const PLAIN = { do_center_crop: false, crops: false, square: true };
const CROPPED = { do_center_crop: true, crops: true };
const VIT = { ...HALF, ...PLAIN, resample: BILINEAR };
const CLIP = { ...CLIP_COLORS, ...CROPPED, resample: BICUBIC, square: false };
const DETR = { ...VIT, ...IMAGENET, square: false };
const MOBILENET = { ...HALF, ...CROPPED, resample: BILINEAR, square: false };

/** By the name of the class without its ending. Others have steps that their settings do not show. */
export const PROCESSORS: Readonly<Record<string, Processor>> = {
  Beit: { ...VIT, ...CROPPED, resample: BICUBIC },
  Bit: CLIP,
  Blip: { ...CLIP, ...PLAIN },
  CLIP,
  ChineseCLIP: CLIP,
  ConditionalDetr: DETR,
  ConvNext: { ...VIT, square: false },
  DeformableDetr: DETR,
  DeiT: { ...VIT, ...CROPPED, resample: BICUBIC },
  Detr: DETR,
  EfficientNet: { ...VIT, crops: true, resample: NEAREST },
  Mask2Former: { ...DETR, divisor: 32 },
  MaskFormer: { ...DETR, divisor: 32 },
  MobileNetV1: MOBILENET,
  MobileNetV2: MOBILENET,
  Pvt: { ...VIT, ...IMAGENET },
  RTDetr: { ...VIT, ...IMAGENET, normalizes: false },
  Segformer: { ...VIT, ...IMAGENET },
  Siglip: { ...VIT, resample: BICUBIC, square: false },
  ViT: VIT,
  Yolos: { ...DETR, multipleOf: 16 },
};
