/** Zero crossings of the filter on each side. */
const WIDTH = 6;
/** Where the filter ends, as a share of the lower of the two rates' halves. */
const ROLLOFF = 0.99;

/**
 * Resamples with a sinc under a Hann window, polyphase, as torchaudio's `functional.resample` does by default and
 * transformers' pipelines with it. Makes at most `most` samples. Takes time in proportion to the samples that it reads
 * and makes.
 */
export function resample(
  samples: Float32Array,
  { from, to, most = Infinity }: { from: number; to: number; most?: number },
): Float32Array {
  if (from === to) return samples.length <= most ? samples : samples.subarray(0, most);
  const divisor = greatestCommonDivisor(from, to);
  const [step, phases] = [from / divisor, to / divisor];
  const length = Math.min(most, Math.ceil((phases * samples.length) / step));
  // The number of one phase's taps that are not 0. Positions are in samples of the input.
  const cutoff = Math.min(step, phases) * ROLLOFF;
  const reach = (WIDTH * step) / cutoff;
  const scale = cutoff / step;
  const taps = Math.floor(2 * reach) + 1;
  const made = new Float32Array(length);
  const kernel = new Float32Array(taps);
  // All outputs of a phase share its taps.
  for (let phase = 0; phase < Math.min(phases, length); phase++) {
    const first = Math.ceil((phase * step) / phases - reach);
    for (let tap = 0; tap < taps; tap++)
      kernel[tap] = tapAt(distanceOf((first + tap) / step, phase / phases, cutoff)) * scale;
    for (let index = phase, at = first; index < length; index += phases, at += step) {
      let sum = 0;
      const end = Math.min(taps, samples.length - at);
      for (let tap = Math.max(0, -at); tap < end; tap++)
        sum += (samples[at + tap] as number) * (kernel[tap] as number);
      made[index] = sum;
    }
  }
  return made;
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
