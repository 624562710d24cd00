import type { ImageOptions } from "./options.ts";

/** Eight bits a channel, interleaved, rows from the top; alpha is dropped, as Pillow's convert() does. */
export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 3;
  data: Uint8Array;
}

/** Converts between grey and RGB as Pillow's convert() does; ITU-R 601-2 luma, in its fixed point. */
export function convertColor(image: Pixels, color: ImageOptions["color"]): Pixels {
  const channels = color === "rgb" ? 3 : 1;
  if (image.channels === channels) return image;
  const { width, height, data } = image;
  const result = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (channels === 1) {
      const red = data[pixel * 3] ?? 0;
      const green = data[pixel * 3 + 1] ?? 0;
      const blue = data[pixel * 3 + 2] ?? 0;
      result[pixel] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    } else result.fill(data[pixel] ?? 0, pixel * 3, pixel * 3 + 3);
  }
  return { width, height, channels, data: result };
}

/** Writes normalised values into `target` from `offset`, in the manifest's layout. */
export function fillPixels(
  image: Pixels,
  options: ImageOptions,
  target: Float32Array,
  offset: number,
): void {
  const { channels, data } = image;
  const pixels = image.width * image.height;
  for (let channel = 0; channel < channels; channel++) {
    const mean = options.mean[channel] ?? 0;
    const std = options.std[channel] ?? 1;
    for (let pixel = 0; pixel < pixels; pixel++) {
      const value = ((data[pixel * channels + channel] ?? 0) * options.scale - mean) / std;
      const position =
        options.layout === "NCHW" ? channel * pixels + pixel : pixel * channels + channel;
      target[offset + position] = value;
    }
  }
}
