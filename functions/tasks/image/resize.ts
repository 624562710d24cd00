import type { ImageOptions } from "../../model/manifest.ts";
import type { Pixels } from "./decode.ts";

/** Filters by name: how many source pixels (at scale 1) they reach, and the weight at a distance. */
const FILTERS = {
  bilinear: { support: 1, weight: (distance: number) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: { support: 2, weight: cubic },
} as const;

/**
 * Resizes as Pillow's `Image.resize` does: two passes, a filter that widens when it makes the image
 * smaller, eight bits between the passes. So a model sees what it was trained on. (Rows first, as
 * versions before 13 have it, unless that would make the image larger.)
 */
export function resize(
  image: Pixels,
  width: number,
  height: number,
  resample: ImageOptions["resample"],
): Pixels {
  if (image.width === width && image.height === height) return image;
  if (resample === "nearest") return nearest(image, width, height);
  const rows = (source: Pixels) => resampleRows(source, width, FILTERS[resample]);
  const columns = (source: Pixels) =>
    transpose(resampleRows(transpose(source), height, FILTERS[resample]));
  // Otherwise a narrow and very tall image would be widened before it is shrunk.
  const columnsFirst = image.width < width && image.height > height;
  return columnsFirst ? rows(columns(image)) : columns(rows(image));
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function nearest(image: Pixels, width: number, height: number): Pixels {
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const sourceX = Math.floor(((x + 0.5) * image.width) / width);
      const sourceY = Math.floor(((y + 0.5) * image.height) / height);
      for (let channel = 0; channel < channels; channel++)
        data[(y * width + x) * channels + channel] =
          image.data[(sourceY * image.width + sourceX) * channels + channel] ?? 0;
    }
  return { width, height, channels, data };
}

function resampleRows(
  image: Pixels,
  width: number,
  filter: (typeof FILTERS)["bilinear" | "bicubic"],
): Pixels {
  const { channels, height } = image;
  const data = new Uint8ClampedArray(width * height * channels);
  const scale = image.width / width;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  for (let x = 0; x < width; x++) {
    const center = (x + 0.5) * scale;
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
