import { channelsOf, type ImageOptions } from "./options.ts";

/** Eight bits a channel, interleaved, rows from the top: grey, RGB, or RGB with a fourth byte that is ignored. */
export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 3 | 4;
  data: Uint8Array;
}

/** Converts between grey and RGB as Pillow's convert() does: ITU-R 601-2 luma in Pillow's fixed point. */
export function convertColor(image: Pixels, color: ImageOptions["color"]): Pixels {
  const isGrey = image.channels === 1;
  if (isGrey === (color === "grayscale")) return image;
  const { width, height, channels: stride, data } = image;
  const channels = isGrey ? 3 : 1;
  const result = new Uint8Array(width * height * channels);
  const pixels = width * height;
  if (isGrey)
    for (let pixel = 0, to = 0; pixel < pixels; pixel++) {
      const level = data[pixel]!;
      result[to++] = level;
      result[to++] = level;
      result[to++] = level;
    }
  else
    for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += stride)
      result[pixel] =
        (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16;
  return { width, height, channels, data: result };
}

/** For each channel of the graph: which channel of an image it is, and what each of the 256 levels becomes. */
export type Levels = readonly { from: number; values: Float32Array }[];

/**
 * Scales and normalises the levels in the arithmetic of Hugging Face's image processors: the product in 64 bits, all
 * else in 32. Or in that of the fast processors, which scale mean and deviation instead.
 */
export function levelsOf(options: ImageOptions): Levels {
  return Array.from({ length: channelsOf(options) }, (_, channel) => ({
    from: options.color === "bgr" ? 2 - channel : channel,
    values: Float32Array.from({ length: 256 }, (_, level) => valueOf(level, channel, options)),
  }));
}

function valueOf(level: number, channel: number, options: ImageOptions): number {
  const { fround } = Math;
  const { scale, arithmetic } = options;
  const mean = fround(options.mean[channel] ?? 0);
  const std = fround(options.std[channel] ?? 1);
  if (arithmetic !== "torchvision") return fround(fround(level * scale) - mean) / std;
  const isPlain = options.mean.every((one) => one === 0) && options.std.every((one) => one === 1);
  if (isPlain) return level * fround(scale);
  const larger = fround(1 / scale);
  return fround(level - fround(mean * larger)) / fround(std * larger);
}

/**
 * Writes the normalised pixels into `target` from `offset` on, in the manifest's layout. Where `width` is that of a wider
 * picture, its other pixels stay as they are.
 */
export function fillPixels(
  image: Pixels,
  levels: Levels,
  layout: ImageOptions["layout"],
  target: Float32Array,
  offset: number,
  width = image.width,
): void {
  const { channels: stride, data } = image;
  const pixels = width * image.height;
  const [betweenPixels, betweenChannels] = layout === "NCHW" ? [1, pixels] : [levels.length, 1];
  for (const [channel, { from, values }] of levels.entries()) {
    let position = offset + channel * betweenChannels;
    let at = from;
    for (let row = 0; row < image.height; row++, position += (width - image.width) * betweenPixels)
      for (let x = 0; x < image.width; x++, at += stride, position += betweenPixels)
        target[position] = values[data[at]!]!;
  }
}
