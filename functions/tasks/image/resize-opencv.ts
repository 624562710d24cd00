import type { Pixels } from "./pixels.ts";
import { roundEven } from "./round-even.ts";

/** OpenCV's weights of a pixel and its neighbour: 11 bits after the point. */
const ONE = 2048;

interface Side {
  /** The two source pixels of each resized pixel, and their weights. */
  first: Int32Array;
  second: Int32Array;
  weights: [Int32Array, Int32Array];
}

/**
 * Resizes exactly as OpenCV's `resize` with INTER_LINEAR does: between two neighbours in each direction, however much
 * smaller the image gets. Leaves out the fourth byte of a pixel.
 */
export function resizeOpencv(image: Pixels, width: number, height: number): Pixels {
  if (image.width === width * 2 && image.height === height * 2) return halved(image);
  const { channels: stride, data: source, width: sourceWidth } = image;
  const channels = stride === 1 ? 1 : 3;
  const across = sideOf(image.width, width, "clamped");
  const down = sideOf(image.height, height, "free");
  const data = new Uint8Array(width * height * channels);
  const samples = width * channels;
  // The two source rows that were last resized across.
  const rows = new Map<number, Int32Array>();

  function rowAcross(y: number): Int32Array {
    const known = rows.get(y);
    if (known) return known;
    const made = new Int32Array(samples);
    const start = y * sourceWidth * stride;
    const [near, far] = across.weights;
    for (let x = 0, target = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++, target++)
        made[target] =
          source[start + across.first[x]! * stride + channel]! * near[x]! +
          source[start + across.second[x]! * stride + channel]! * far[x]!;
    if (rows.size === 2) rows.delete(Math.min(...rows.keys()));
    rows.set(y, made);
    return made;
  }

  for (let y = 0, target = 0; y < height; y++) {
    const [upper, lower] = [rowAcross(down.first[y]!), rowAcross(down.second[y]!)];
    const [near, far] = [down.weights[0][y]!, down.weights[1][y]!];
    for (let sample = 0; sample < samples; sample++, target++) {
      const above = (near * (upper[sample]! >> 4)) >> 16;
      const below = (far * (lower[sample]! >> 4)) >> 16;
      data[target] = (above + below + 2) >> 2;
    }
  }
  return { width, height, channels, data };
}

/** The weights of a side. At its ends a row still has both of its weights, and a column has one (`clamped`). */
function sideOf(size: number, resized: number, ends: "clamped" | "free"): Side {
  const { fround } = Math;
  const scale = 1 / (resized / size);
  const [first, second] = [new Int32Array(resized), new Int32Array(resized)];
  const weights: Side["weights"] = [new Int32Array(resized), new Int32Array(resized)];
  for (let pixel = 0; pixel < resized; pixel++) {
    const at = fround((pixel + 0.5) * scale - 0.5);
    let from = Math.floor(at);
    let share = fround(at - from);
    if (ends === "clamped" && (from < 0 || from >= size - 1)) {
      from = from < 0 ? 0 : size - 1;
      share = 0;
    }
    first[pixel] = Math.min(Math.max(from, 0), size - 1);
    second[pixel] = Math.min(Math.max(from + 1, 0), size - 1);
    weights[0][pixel] = roundEven(fround(fround(1 - share) * ONE));
    weights[1][pixel] = roundEven(fround(share * ONE));
  }
  return { first, second, weights };
}

/** OpenCV takes the mean of four pixels where both sides are halved. */
function halved({ width: sourceWidth, channels: stride, data: source, ...image }: Pixels): Pixels {
  const [width, height] = [sourceWidth / 2, image.height / 2];
  const channels = stride === 1 ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  const below = sourceWidth * stride;
  for (let y = 0, target = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++, target++) {
        const at = (2 * y * sourceWidth + 2 * x) * stride + channel;
        const upper = source[at]! + source[at + stride]!;
        data[target] = (upper + source[at + below]! + source[at + below + stride]! + 2) >> 2;
      }
  return { width, height, channels, data };
}
