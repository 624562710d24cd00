import type { ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";

/** Filters by name: how many source pixels they reach at scale 1, and their weight at a distance. */
const FILTERS = {
  bilinear: { support: 1, weight: (distance: number) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: { support: 2, weight: cubic },
} as const;

/** What to keep of the resized image: its size, and where it begins. */
export interface Cut {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Resizes as Pillow's `Image.resize` does, so that a model sees what it was trained on: two passes, eight bits
 * between them, and a filter that widens when the image gets smaller. (Rows first, as in versions before 13,
 * unless that would fill the memory.) Computes only the `cut` of the result.
 */
export function resize(
  image: Pixels,
  width: number,
  height: number,
  resample: ImageOptions["resample"],
  cut: Cut = { left: 0, top: 0, width, height },
): Pixels {
  const whole = cut.width === width && cut.height === height;
  if (whole && image.width === width && image.height === height) return image;
  if (resample === "nearest") return nearest(image, width, height, cut);
  const filter = FILTERS[resample];
  const across = (one: Pixels) => resampleRows(one, width, filter, cut.left, cut.width);
  const down = (one: Pixels) =>
    transpose(resampleRows(transpose(one), height, filter, cut.top, cut.height));
  return cut.width * image.height <= MOST_BETWEEN ? down(across(image)) : across(down(image));
}

/** Most pixels between the passes: an image one pixel wide and millions high must not fill the memory. */
const MOST_BETWEEN = 2048 * 2048;

function cubic(distance: number): number {
  const x = Math.abs(distance);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function nearest(image: Pixels, width: number, height: number, cut: Cut): Pixels {
  const { channels } = image;
  const data = new Uint8Array(cut.width * cut.height * channels);
  for (let y = 0; y < cut.height; y++)
    for (let x = 0; x < cut.width; x++) {
      const sourceX = Math.floor(((cut.left + x + 0.5) * image.width) / width);
      const sourceY = Math.floor(((cut.top + y + 0.5) * image.height) / height);
      for (let channel = 0; channel < channels; channel++)
        data[(y * cut.width + x) * channels + channel] =
          image.data[(sourceY * image.width + sourceX) * channels + channel] ?? 0;
    }
  return { width: cut.width, height: cut.height, channels, data };
}

/** The columns `left` to `left + width` of the image resized to `fullWidth`. */
function resampleRows(
  image: Pixels,
  fullWidth: number,
  filter: (typeof FILTERS)["bilinear" | "bicubic"],
  left: number,
  width: number,
): Pixels {
  const { channels, height } = image;
  const data = new Uint8ClampedArray(width * height * channels);
  const scale = image.width / fullWidth;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  for (let x = 0; x < width; x++) {
    const center = (left + x + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - support + 0.5));
    const last = Math.min(image.width, Math.floor(center + support + 0.5));
    const weights = Float64Array.from({ length: last - first }, (_, index) =>
      filter.weight((first + index - center + 0.5) / filterScale),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let y = 0; y < height; y++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let index = 0; index < weights.length; index++)
          sum +=
            (weights[index] ?? 0) *
            (image.data[(y * image.width + first + index) * channels + channel] ?? 0);
        data[(y * width + x) * channels + channel] = Math.floor(sum / total + 0.5);
      }
  }
  return { width, height, channels, data: new Uint8Array(data.buffer) };
}

function transpose({ width, height, channels, data }: Pixels): Pixels {
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++)
        result[(x * height + y) * channels + channel] =
          data[(y * width + x) * channels + channel] ?? 0;
  return { width: height, height: width, channels, data: result };
}
