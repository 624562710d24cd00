import { FILTERS, weightsOf, type Weights } from "./filters.ts";
import type { ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";
import { resizeOpencv } from "./resize-opencv.ts";

/** What to keep of the resized image: its size, and where it begins. */
export interface Cut {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Resizes exactly as Pillow's `Image.resize` or torchvision does: in two passes, with eight bits between them, in fixed
 * point, by a filter that widens when the image gets smaller. Computes only the `cut` of the result and only the part
 * of the first pass that it needs. An image one pixel wide and millions high must not fill the memory. In OpenCV's
 * arithmetic nothing is cut.
 */
export function resize(
  image: Pixels,
  width: number,
  height: number,
  { resample, arithmetic }: Pick<ImageOptions, "resample" | "arithmetic">,
  cut: Cut = { left: 0, top: 0, width, height },
): Pixels {
  if (arithmetic === "opencv") return resizeOpencv(image, width, height);
  if (resample === "nearest") return nearest(image, width, height, cut);
  const filter = FILTERS[resample];
  const isWider = image.width !== width;
  const isHigher = image.height !== height;
  const columnSide = { size: image.width, resized: width, from: cut.left, length: cut.width };
  const rowSide = { size: image.height, resized: height, from: cut.top, length: cut.height };
  const across = weightsOf(filter, columnSide, arithmetic);
  const down = weightsOf(filter, rowSide, arithmetic);
  const columns = isWider ? rangeOf(across) : { from: cut.left, length: cut.width };
  const rows = isHigher ? rangeOf(down) : { from: cut.top, length: cut.height };
  // As Pillow since 13: resizes rows first only when the image loses more than twice as many rows as columns.
  const downFirst =
    arithmetic === "pillow" &&
    image.height > height &&
    image.height - height > 2 * (image.width - width);
  if (!isWider || !isHigher || !downFirst) {
    const wide = isWider ? resampleAcross(image, across, rows) : cutOf(image, columns, rows);
    return isHigher ? resampleDown(wide, down, rows.from, { from: 0, length: cut.width }) : wide;
  }
  const high = resampleDown(image, down, 0, columns);
  return resampleAcross(high, across, { from: 0, length: cut.height }, columns.from);
}

interface Range {
  from: number;
  length: number;
}

/** The source pixels that have any weight. */
function rangeOf({ first, count }: Weights): Range {
  const last = first.length - 1;
  const from = first[0] ?? 0;
  return { from, length: (first[last] ?? 0) + (count[last] ?? 0) - from };
}

function cutOf(image: Pixels, columns: Range, rows: Range): Pixels {
  const { channels } = image;
  if (columns.length === image.width && rows.length === image.height) return image;
  const [width, height] = [columns.length, rows.length];
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = ((rows.from + y) * image.width + columns.from) * channels;
    data.set(image.data.subarray(start, start + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

/** Resizes across. The image's columns begin with number `offset`. Leaves out the fourth byte of a pixel. */
function resampleAcross(image: Pixels, weights: Weights, rows: Range, offset = 0): Pixels {
  const { channels: stride, data: source, width: sourceWidth } = image;
  const { first, count, values, stride: most, bits } = weights;
  // Sums begin with a half, for rounding.
  const half = 1 << (bits - 1);
  const channels = stride === 1 ? 1 : 3;
  const width = first.length;
  const data = new Uint8ClampedArray(width * rows.length * channels);
  for (let y = 0, target = 0; y < rows.length; y++) {
    const row = ((rows.from + y) * sourceWidth - offset) * stride;
    for (let x = 0; x < width; x++, target += channels) {
      let at = row + first[x]! * stride;
      const end = x * most + count[x]!;
      if (channels === 1) {
        let sum = half;
        for (let index = x * most; index < end; index++) sum += source[at++]! * values[index]!;
        data[target] = sum >> bits;
        continue;
      }
      let [red, green, blue] = [half, half, half];
      for (let index = x * most; index < end; index++, at += stride) {
        const weight = values[index]!;
        red += source[at]! * weight;
        green += source[at + 1]! * weight;
        blue += source[at + 2]! * weight;
      }
      data[target] = red >> bits;
      data[target + 1] = green >> bits;
      data[target + 2] = blue >> bits;
    }
  }
  return { width, height: rows.length, channels, data: new Uint8Array(data.buffer) };
}

/** Resizes down. The image's rows begin with number `offset`. Takes a row at a time, in the order of the bytes. */
function resampleDown(image: Pixels, weights: Weights, offset: number, columns: Range): Pixels {
  const { channels, data: source } = image;
  const { first, count, values, stride: most, bits } = weights;
  const half = 1 << (bits - 1);
  const [width, height] = [columns.length, first.length];
  const samples = width * channels;
  const data = new Uint8ClampedArray(samples * height);
  const sums = new Int32Array(samples);
  for (let y = 0; y < height; y++) {
    sums.fill(half);
    for (let index = 0; index < count[y]!; index++) {
      const weight = values[y * most + index]!;
      const row = ((first[y]! - offset + index) * image.width + columns.from) * channels;
      for (let sample = 0; sample < samples; sample++)
        sums[sample]! += source[row + sample]! * weight;
    }
    const target = y * samples;
    for (let sample = 0; sample < samples; sample++) data[target + sample] = sums[sample]! >> bits;
  }
  return { width, height, channels, data: new Uint8Array(data.buffer) };
}

function nearest(image: Pixels, width: number, height: number, cut: Cut): Pixels {
  const { channels } = image;
  const data = new Uint8Array(cut.width * cut.height * channels);
  const columns = stepsOf(image.width, width, cut.left, cut.width);
  const rows = stepsOf(image.height, height, cut.top, cut.height);
  for (let y = 0, target = 0; y < cut.height; y++)
    for (let x = 0; x < cut.width; x++)
      for (let channel = 0; channel < channels; channel++)
        data[target++] = image.data[(rows[y]! * image.width + columns[x]!) * channels + channel]!;
  return { width: cut.width, height: cut.height, channels, data };
}

/**
 * A cut that begins after more steps is not reached by adding up: that would take long, and such a picture is a line.
 */
const MOST_STEPS = 1 << 20;

/** Adds up the steps as Pillow does, with a rounding in each sum. A product would round differently. */
function stepsOf(size: number, resized: number, from: number, length: number): Int32Array {
  const step = size / resized;
  const steps = new Int32Array(length);
  const begin = from > MOST_STEPS ? from : 0;
  let at = step * (begin + 0.5);
  for (let pixel = begin; pixel < from + length; pixel++, at += step)
    if (pixel >= from) steps[pixel - from] = Math.min(size - 1, Math.floor(at));
  return steps;
}
