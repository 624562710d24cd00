/** The defaults of an image processor of transformers, for settings that `preprocessor_config.json` lacks. */
export interface Processor {
  /** Pillow's code of the filter. */
  resample: number;
  image_mean: readonly number[];
  image_std: readonly number[];
  do_center_crop: boolean;
  /** Whether one number as `size` means both edges, or the shorter one. */
  square: boolean;
}

const [NEAREST, BILINEAR, BICUBIC] = [0, 2, 3];
const HALF = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const CLIP_COLORS = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

const VIT = { ...HALF, resample: BILINEAR, do_center_crop: false, square: true };
const CLIP = { ...CLIP_COLORS, resample: BICUBIC, do_center_crop: true, square: false };
const MOBILENET = { ...HALF, resample: BILINEAR, do_center_crop: true, square: false };

/** By the name of the class without its ending. Others have steps that their settings do not show. */
export const PROCESSORS: Readonly<Record<string, Processor>> = {
  Beit: { ...VIT, resample: BICUBIC, do_center_crop: true },
  Bit: CLIP,
  Blip: { ...CLIP, do_center_crop: false, square: true },
  CLIP,
  ChineseCLIP: CLIP,
  ConvNext: { ...VIT, square: false },
  DeiT: { ...VIT, resample: BICUBIC, do_center_crop: true },
  EfficientNet: { ...VIT, resample: NEAREST },
  MobileNetV1: MOBILENET,
  MobileNetV2: MOBILENET,
  Pvt: { ...VIT, ...IMAGENET },
  Segformer: { ...VIT, ...IMAGENET },
  Siglip: { ...VIT, resample: BICUBIC, square: false },
  ViT: VIT,
};
