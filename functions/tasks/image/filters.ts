import type { ImageOptions } from "./options.ts";

/** Pillow's filters by name: how many source pixels each reaches at scale 1, and its weight at a distance. */
export const FILTERS = {
  box: { support: 0.5, weight: (x: number) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x: number) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} as const;

export type Filter = (typeof FILTERS)[keyof typeof FILTERS];

function hamming(distance: number): number {
  const x = Math.abs(distance);
  if (x === 0) return 1;
  // Pillow has these two numbers as 32-bit floats.
  return x >= 1 ? 0 : sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI));
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Pillow's fixed point: 32 bits hold a sum of products with bytes, and two bits to spare. */
const PILLOW_BITS = 22;
/** torchvision's weights have 16 bits, one of them for the sign. */
const TORCH_MOST = 2 ** 15;
/** For a longer side, only the weights of the wanted part decide the number of bits. */
const MOST_LOOKED_AT = 65_536;

/** The weights of the source pixels, for the wanted part of the resized pixels. */
export interface Weights {
  /** The first source pixel of each resized pixel. */
  first: Int32Array;
  /** How many source pixels each resized pixel has. */
  count: Int32Array;
  /** In fixed point, `stride` numbers for each resized pixel. */
  values: Int32Array;
  stride: number;
  /** Bits after the point. */
  bits: number;
}

export interface Side {
  /** Pixels before and after resizing. */
  size: number;
  resized: number;
  /** The wanted part of the resized pixels. */
  from: number;
  length: number;
}

/** The weights by which a side is resized. */
export function weightsOf(
  filter: Filter,
  side: Side,
  arithmetic: ImageOptions["arithmetic"],
): Weights {
  const bits = arithmetic === "pillow" ? PILLOW_BITS : torchBits(filter, side);
  const one = 2 ** bits;
  const stride = strideOf(filter, side);
  const first = new Int32Array(side.length);
  const count = new Int32Array(side.length);
  const values = new Int32Array(side.length * stride);
  forEachPixel(filter, side, (pixel, least, taken, shares) => {
    first[pixel] = least;
    count[pixel] = taken;
    for (let index = 0; index < taken; index++) {
      const share = shares[index]!;
      values[pixel * stride + index] = Math.trunc(share * one + (share < 0 ? -0.5 : 0.5));
    }
  });
  return { first, count, values, stride, bits };
}

/** The most bits after the point that the largest weight of the whole side leaves room for. */
function torchBits(filter: Filter, side: Side): number {
  const isLong = side.resized > MOST_LOOKED_AT;
  const looked = isLong ? side : { ...side, from: 0, length: side.resized };
  let largest = 0;
  forEachPixel(filter, looked, (_pixel, _least, taken, shares) => {
    for (let index = 0; index < taken; index++) largest = Math.max(largest, shares[index]!);
  });
  let bits = 0;
  while (bits < PILLOW_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < TORCH_MOST) bits++;
  return bits;
}

/** How far a filter reaches. It widens when the image gets smaller. */
function reachOf(filter: Filter, { size, resized }: Side): number {
  return filter.support * Math.max(size / resized, 1);
}

function strideOf(filter: Filter, side: Side): number {
  return Math.ceil(reachOf(filter, side)) * 2 + 1;
}

/**
 * Visits the wanted pixels. Gives the first source pixel of each, the number of its source pixels, and their shares.
 */
function forEachPixel(
  filter: Filter,
  side: Side,
  visit: (pixel: number, least: number, taken: number, shares: Float64Array) => void,
): void {
  const scale = side.size / side.resized;
  const closer = 1 / Math.max(scale, 1);
  const reach = reachOf(filter, side);
  const shares = new Float64Array(strideOf(filter, side));
  for (let pixel = 0; pixel < side.length; pixel++) {
    const center = (side.from + pixel + 0.5) * scale;
    const least = Math.max(0, Math.trunc(center - reach + 0.5));
    const taken = Math.min(side.size, Math.trunc(center + reach + 0.5)) - least;
    let total = 0;
    for (let index = 0; index < taken; index++)
      total += shares[index] = filter.weight((index + least - center + 0.5) * closer);
    if (total !== 0) for (let index = 0; index < taken; index++) shares[index]! /= total;
    visit(pixel, least, taken, shares);
  }
}
