/** Pillow's filters by name: how many source pixels they reach at scale 1, and their weight at a distance. */
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

/** Pillow's fixed point: 32 bits hold a sum of products with bytes, with two to spare. */
export const PRECISION_BITS = 22;

/** The weights of source pixels for a part of the resized ones. */
export interface Weights {
  /** The first source pixel of each. */
  first: Int32Array;
  /** How many source pixels each has. */
  count: Int32Array;
  /** In fixed point; `stride` numbers for each. */
  values: Int32Array;
  stride: number;
}

/** Weights for `length` of the `resized` pixels, beginning with number `from`, that are made of `size` pixels. */
export function weightsOf(
  filter: Filter,
  size: number,
  resized: number,
  { from, length }: { from: number; length: number },
): Weights {
  const scale = size / resized;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const values = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  for (let pixel = 0; pixel < length; pixel++) {
    const center = (from + pixel + 0.5) * scale;
    const least = Math.max(0, Math.trunc(center - support + 0.5));
    const taken = Math.min(size, Math.trunc(center + support + 0.5)) - least;
    let total = 0;
    for (let index = 0; index < taken; index++)
      total += exact[index] = filter.weight((index + least - center + 0.5) * (1 / filterScale));
    for (let index = 0; index < taken; index++) {
      const weight = exact[index] ?? 0;
      const share = (total === 0 ? weight : weight / total) * 2 ** PRECISION_BITS;
      values[pixel * stride + index] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
    first[pixel] = least;
    count[pixel] = taken;
  }
  return { first, count, values, stride };
}
