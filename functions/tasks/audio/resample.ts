import type { Parts } from "../define.ts";

/** Zero crossings of the filter on each side. */
const WIDTH = 6;
/** Where the filter ends, as a share of the lower of the two rates' halves. */
const ROLLOFF = 0.99;
/** The most numbers of a filter: some milliseconds. Rates that have little in common need more. */
const MOST_TAPS = 2 ** 17;
/** The most numbers of the filters of one request. All usual rates together have far fewer. */
const MOST_TAPS_TOGETHER = 2 ** 19;
/** Products between two pauses: a few milliseconds. An output takes as long as some more than its taps. */
const PRODUCTS_A_PART = 1_000_000;
const PRODUCTS_AN_OUTPUT = 10;

/** Resamples recordings to one rate. It keeps the filters that it has made. */
export interface Resampler {
  /** How many samples of a recording the first `made` depend on. Throws a RangeError for a rate that is not taken. */
  samplesFor(made: number, from: number): number;
  /** Makes at most `most` samples, in time in proportion to the samples that it reads and makes. */
  resample(
    samples: Float32Array,
    options: { from: number; most?: number | undefined },
  ): Parts<Float32Array>;
}

/** What is the same for all recordings of a rate. Positions are in samples of the input. */
interface Shape {
  step: number;
  phases: number;
  cutoff: number;
  /** How far it reaches to each side. */
  reach: number;
  /** The number of one phase's taps that are not 0. */
  taps: number;
}

interface Filter extends Shape {
  kernels: Float32Array;
}

/**
 * Resamples with a sinc under a Hann window, polyphase, as torchaudio's `functional.resample` does by default, and
 * transformers' pipelines with it for arrays that come with their rate.
 */
export function createResampler(to: number): Resampler {
  const filters = new Map<number, Filter>();
  let allTaps = 0;

  function filterOf(from: number): Filter {
    const known = filters.get(from);
    if (known) return known;
    const shape = shapeOf(from, to);
    allTaps += shape.phases * shape.taps;
    if (allTaps > MOST_TAPS_TOGETHER)
      throw new RangeError(
        `has ${from} samples a second, and those before it too many other rates: send fewer together`,
      );
    const filter = { ...shape, kernels: kernelsOf(shape) };
    filters.set(from, filter);
    return filter;
  }

  return {
    samplesFor: (made, from) =>
      from === to ? made : Math.ceil((made / to) * from + filterOf(from).reach) + 1,
    *resample(samples, { from, most = Infinity }) {
      if (from === to) return samples.length <= most ? samples : samples.slice(0, most);
      const filter = filterOf(from);
      const { step, phases, taps } = filter;
      const made = new Float32Array(Math.min(most, Math.ceil((phases * samples.length) / step)));
      const cost = taps + PRODUCTS_AN_OUTPUT;
      const each = Math.ceil(PRODUCTS_A_PART / cost) * phases;
      let products = 0;
      for (let phase = 0; phase < Math.min(phases, made.length); phase++)
        for (let begin = phase; begin < made.length; begin += each) {
          const end = Math.min(made.length, begin + each);
          if (products >= PRODUCTS_A_PART) {
            products = 0;
            yield;
          }
          products += (cost * (end - begin)) / phases;
          applyPhase(filter, samples, made, { begin, end });
        }
      return made;
    },
  };
}

function shapeOf(from: number, to: number): Shape {
  const divisor = greatestCommonDivisor(from, to);
  const [step, phases] = [from / divisor, to / divisor];
  const cutoff = Math.min(step, phases) * ROLLOFF;
  const reach = (WIDTH * step) / cutoff;
  const taps = Math.floor(2 * reach) + 1;
  if (phases * taps > MOST_TAPS)
    throw new RangeError(
      `has ${from} samples a second, which has too little in common with the model's ${to}; resample it first: ffmpeg -i recording -ar ${to} recording.wav`,
    );
  return { step, phases, cutoff, reach, taps };
}

function kernelsOf({ step, phases, cutoff, reach, taps }: Shape): Float32Array {
  const scale = cutoff / step;
  const kernels = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    const first = firstOf({ step, phases, reach }, phase);
    for (let tap = 0; tap < taps; tap++)
      kernels[phase * taps + tap] =
        tapAt(distanceOf((first + tap) / step, phase / phases, cutoff)) * scale;
  }
  return kernels;
}

/** The first sample that an output depends on. */
function firstOf(
  { step, phases, reach }: Pick<Shape, "step" | "phases" | "reach">,
  index: number,
): number {
  return Math.ceil((index * step) / phases - reach);
}

/** Makes the outputs from `begin` on that have its phase: they share its taps. */
function applyPhase(
  filter: Filter,
  samples: Float32Array,
  made: Float32Array,
  { begin, end }: { begin: number; end: number },
): void {
  const { step, phases, taps, kernels } = filter;
  const phase = begin % phases;
  const kernel = kernels.subarray(phase * taps, (phase + 1) * taps);
  let at = firstOf(filter, phase) + ((begin - phase) / phases) * step;
  for (let index = begin; index < end; index += phases, at += step) {
    let sum = 0;
    const last = Math.min(taps, samples.length - at);
    for (let tap = Math.max(0, -at); tap < last; tap++)
      sum += (samples[at + tap] as number) * (kernel[tap] as number);
    made[index] = sum;
  }
}

/** In zero crossings. torchaudio has float32 in between, whose rounding shows in the fifth digit of a sample. */
function distanceOf(place: number, centre: number, cutoff: number): number {
  const { fround } = Math;
  return fround(fround(fround(place) - fround(centre)) * fround(cutoff));
}

/** The filter, `distance` zero crossings from its centre. */
function tapAt(distance: number): number {
  if (Math.abs(distance) >= WIDTH) return 0;
  if (distance === 0) return 1;
  const angle = distance * Math.PI;
  return (Math.sin(angle) / angle) * Math.cos(angle / WIDTH / 2) ** 2;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
