import type { FixedFeatures } from "./fixed-features.ts";
import { slaneyFilters } from "./mel.ts";
import { createPowerSpectrum } from "./spectrum.ts";

const RATE = 16_000;
const SIZE = 400;
const HOP = 160;
/** What logarithms begin at. */
const FLOOR = 1e-10;
/** How many powers of ten below the loudest are told apart. */
const RANGE = 8;
const FRAMES_A_PART = 128;

/**
 * The spectrogram of `WhisperFeatureExtractor`: frames of 400 samples at 16 kHz, a hundred a second, around their centres,
 * their powers' decimal logarithms. The recording is filled with silence to all frames.
 */
export function createLogMel({ bins, frames }: { bins: number; frames: number }): FixedFeatures {
  const total = frames * HOP;
  const window = Float64Array.from(
    { length: SIZE },
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / SIZE),
  );
  const filters = slaneyFilters({ bins, fftSize: SIZE, rate: RATE });
  const spectrum = createPowerSpectrum(SIZE);
  const pair = [new Float64Array(SIZE), new Float64Array(SIZE)] as const;
  const powers = [new Float64Array(SIZE / 2 + 1), new Float64Array(SIZE / 2 + 1)] as const;
  const sums = new Float64Array(bins);

  function readFrame(samples: Float32Array, frame: number, into: Float64Array): void {
    for (let index = 0; index < SIZE; index++) {
      const at = frame * HOP - SIZE / 2 + index;
      // Both ends are mirrored.
      const place = at < 0 ? -at : at >= total ? 2 * (total - 1) - at : at;
      into[index] = (samples[place] ?? 0) * (window[index] as number);
    }
  }

  return {
    shape: [bins, frames],
    mostSamples: total,
    fewestSamples: 1,
    seconds: frames / 100,
    *fill(samples, into) {
      // Frames behind the recording are silent.
      const count = Math.min(frames, Math.ceil((samples.length + SIZE / 2) / HOP));
      let loudest = Math.log10(FLOOR);
      into.fill(loudest);
      for (let frame = 0; frame < count; frame += 2) {
        if (frame > 0 && frame % FRAMES_A_PART === 0) yield;
        readFrame(samples, frame, pair[0]);
        readFrame(samples, frame + 1, pair[1]);
        spectrum(...pair, ...powers);
        for (let one = 0; one < Math.min(2, count - frame); one++) {
          filters.apply(powers[one] as Float64Array, sums);
          for (let bin = 0; bin < bins; bin++) {
            const level = Math.log10(Math.max(FLOOR, sums[bin] as number));
            loudest = Math.max(loudest, level);
            into[bin * frames + frame + one] = level;
          }
        }
      }
      for (let index = 0; index < into.length; index++)
        into[index] = (Math.max(into[index] as number, loudest - RANGE) + 4) / 4;
    },
  };
}
