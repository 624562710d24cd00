import { createFilterBank } from "./fbank.ts";
import type { FixedFeatures } from "./fixed-features.ts";
import { createLogMel } from "./log-mel.ts";
import type { AudioOptions } from "./options.ts";

/** Undefined for a waveform, whose size is its length. Throws an Error for options that have no such features. */
export function fixedFeatures({
  sampleRate,
  fbank,
  logMel,
}: AudioOptions): FixedFeatures | undefined {
  if (fbank) return createFilterBank({ sampleRate, ...fbank });
  if (!logMel) return undefined;
  if (sampleRate !== 16_000) throw new Error("audio.logMel needs a sampleRate of 16000");
  return createLogMel(logMel);
}

/** Brings a waveform to mean 0 and variance 1, as `Wav2Vec2FeatureExtractor` does. */
export function normalized(samples: Float32Array): Float32Array {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / samples.length + 1e-7);
  return samples.map((sample) => (sample - mean) * scale);
}
