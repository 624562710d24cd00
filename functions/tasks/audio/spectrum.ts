/**
 * Makes a function that gives the power spectra of two frames at once: |DFT|² of `size` numbers, from 0 to half the
 * rate. Stockham's FFT of mixed radix, since Whisper's frames have 400 samples. It keeps its own memory between calls.
 */
export function createPowerSpectrum(size: number): PowerSpectrum {
  const passes = passesOf(size);
  const [re, im, otherRe, otherIm] = Array.from({ length: 4 }, () => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];

  return (first, second, firstPower, secondPower) => {
    re.set(first);
    im.set(second);
    let isTurned = false;
    for (const pass of passes) {
      if (isTurned) run(pass, otherRe, otherIm, re, im);
      else run(pass, re, im, otherRe, otherIm);
      isTurned = !isTurned;
    }
    const real = isTurned ? otherRe : re;
    const imaginary = isTurned ? otherIm : im;
    // The spectrum of a real frame is symmetric, so those of both can be told apart.
    for (let k = 0; k <= size / 2; k++) {
      const mirror = k === 0 ? 0 : size - k;
      const a = real[k] as number;
      const b = imaginary[k] as number;
      const c = real[mirror] as number;
      const d = imaginary[mirror] as number;
      firstPower[k] = ((a + c) ** 2 + (b - d) ** 2) / 4;
      secondPower[k] = ((b + d) ** 2 + (a - c) ** 2) / 4;
    }
  };
}

export type PowerSpectrum = (
  first: Float64Array,
  second: Float64Array,
  firstPower: Float64Array,
  secondPower: Float64Array,
) => void;

/** One step of the FFT. */
interface Pass {
  radix: number;
  /** How many transforms lie side by side. */
  stride: number;
  /** The length of each, after this step. */
  rest: number;
  /** Cosines and sines for each output and each number that it is the sum of. */
  cos: Float64Array;
  sin: Float64Array;
}

function passesOf(size: number): Pass[] {
  let stride = 1;
  return factorsOf(size).map((radix) => {
    const rest = size / stride / radix;
    const angles: number[] = [];
    for (let k = 0; k < rest; k++)
      for (let c = 0; c < radix; c++)
        for (let r = 0; r < radix; r++)
          angles.push((-2 * Math.PI * (((r * c * size) / radix + k * c * stride) % size)) / size);
    const pass = {
      radix,
      stride,
      rest,
      cos: Float64Array.from(angles, Math.cos),
      sin: Float64Array.from(angles, Math.sin),
    };
    stride *= radix;
    return pass;
  });
}

function run(
  { radix, stride, rest, cos, sin }: Pass,
  re: Float64Array,
  im: Float64Array,
  toRe: Float64Array,
  toIm: Float64Array,
): void {
  for (let k = 0; k < rest; k++)
    for (let c = 0; c < radix; c++) {
      const turn = (k * radix + c) * radix;
      const to = stride * (radix * k + c);
      for (let q = 0; q < stride; q++) {
        let sumRe = 0;
        let sumIm = 0;
        for (let r = 0; r < radix; r++) {
          const from = q + stride * (k + rest * r);
          const a = re[from] as number;
          const b = im[from] as number;
          const x = cos[turn + r] as number;
          const y = sin[turn + r] as number;
          sumRe += a * x - b * y;
          sumIm += a * y + b * x;
        }
        toRe[to + q] = sumRe;
        toIm[to + q] = sumIm;
      }
    }
}

/** Fours first: they take the least time. */
function factorsOf(size: number): number[] {
  const factors: number[] = [];
  let rest = size;
  for (const factor of [4, 2, ...Array.from({ length: size / 2 }, (_, index) => 3 + 2 * index)])
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  return factors;
}
