import type { FixedFeatures } from "./fixed-features.ts";
import { kaldiFilters } from "./mel.ts";
import { createPowerSpectrum } from "./spectrum.ts";

/** What logarithms begin at: the difference between 1 and the next float32. */
const FLOOR = 2 ** -23;
const PREEMPHASIS = 0.97;
/** Frames between two pauses: some milliseconds. */
const FRAMES_A_PART = 128;

/**
 * Kaldi's log-mel filter bank with a Hann window, as torchaudio's `kaldi.fbank` makes it for `ASTFeatureExtractor`: frames
 * of 25 ms, a hundred a second. Frames behind the recording are 0 before they are normalised.
 */
export function createFilterBank({
  sampleRate,
  bins,
  frames,
  mean,
  std,
}: {
  sampleRate: number;
  bins: number;
  frames: number;
  mean: number;
  std: number;
}): FixedFeatures {
  const size = Math.floor(sampleRate * 0.025);
  const hop = Math.floor(sampleRate * 0.01);
  const fftSize = 2 ** Math.ceil(Math.log2(size));
  const window = Float64Array.from(
    { length: size },
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / (size - 1)),
  );
  const filters = kaldiFilters({ bins, fftSize, rate: sampleRate });
  const spectrum = createPowerSpectrum(fftSize);
  const pair = [new Float64Array(fftSize), new Float64Array(fftSize)] as const;
  const powers = [new Float64Array(fftSize / 2 + 1), new Float64Array(fftSize / 2 + 1)] as const;
  const sums = new Float64Array(bins);

  function readFrame(samples: Float32Array, start: number, into: Float64Array): void {
    let sum = 0;
    for (let index = 0; index < size; index++) sum += samples[start + index] ?? 0;
    const offset = sum / size;
    let before = (samples[start] ?? 0) - offset;
    for (let index = 0; index < size; index++) {
      const value = (samples[start + index] ?? 0) - offset;
      into[index] = (value - PREEMPHASIS * before) * (window[index] as number);
      before = value;
    }
  }

  return {
    shape: [frames, bins],
    mostSamples: (frames - 1) * hop + size,
    fewestSamples: size,
    seconds: frames / 100,
    *fill(samples, into) {
      const count = Math.min(frames, 1 + Math.floor((samples.length - size) / hop));
      into.fill(-mean / std, count * bins);
      for (let frame = 0; frame < count; frame += 2) {
        if (frame > 0 && frame % FRAMES_A_PART === 0) yield;
        readFrame(samples, frame * hop, pair[0]);
        readFrame(samples, (frame + 1) * hop, pair[1]);
        spectrum(...pair, ...powers);
        for (let one = 0; one < Math.min(2, count - frame); one++) {
          filters.apply(powers[one] as Float64Array, sums);
          for (let bin = 0; bin < bins; bin++)
            into[(frame + one) * bins + bin] =
              (Math.log(Math.max(FLOOR, sums[bin] as number)) - mean) / std;
        }
      }
    },
  };
}
