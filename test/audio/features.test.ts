import { describe, expect, test } from "vitest";
import { fixedFeatures, normalized } from "../../functions/tasks/audio/features.ts";
import type { AudioOptions } from "../../functions/tasks/audio/options.ts";
import { resample } from "../../functions/tasks/audio/resample.ts";
import { readWav } from "../../functions/tasks/audio/wav.ts";
import { differenceOf, recorded } from "./recorded.ts";
import { recordingOf } from "./recordings.ts";

const { recipes, resampled, features, files } = recorded;

const heard = recipes.map((recipe) => {
  const wav = readWav(recordingOf(recipe));
  return resample(wav.decode(), { from: wav.rate, to: 16_000 });
});
const everyFifth = heard.filter((_, index) => index % 5 === 0);

test.each(files)("a file of soundfile has its samples: $name", ({ file, samples }) => {
  const wav = readWav(Buffer.from(file, "base64"));
  const made = wav.decode();
  expect(wav).toMatchObject({ rate: 16_000, length: samples.length });
  expect(Math.max(...samples.map((one, at) => Math.abs(one - (made[at] ?? NaN))))).toBeLessThan(
    1e-7,
  );
});

test("200 recordings are resampled as by torchaudio", () => {
  expect(heard).toHaveLength(200);
  const worst = Math.max(...heard.map((one, at) => differenceOf(one, resampled[at] as never)));
  expect(worst).toBeLessThan(2e-6);
});

test("what is cut is the beginning of the whole", () => {
  const { rate } = recipes[3] as (typeof recipes)[number];
  const samples = readWav(recordingOf(recipes[9] as (typeof recipes)[number])).decode();
  const whole = resample(samples, { from: rate, to: 16_100 });
  expect(resample(samples, { from: rate, to: 16_100, most: 77 })).toEqual(whole.slice(0, 77));
});

describe("features are those of transformers", () => {
  // In quiet bins a logarithm shows the rounding of torch's float32.
  const kinds: [keyof typeof features, Omit<AudioOptions, "sampleRate">, number][] = [
    ["fbank", { fbank: { bins: 128, frames: 1024, mean: -4.2677393, std: 2 * 4.5689974 } }, 1e-3],
    ["log-mel", { logMel: { bins: 80, frames: 3000 } }, 5e-5],
    ["log-mel-128", { logMel: { bins: 128, frames: 3000 } }, 5e-5],
  ];
  test.each(kinds)("%s", (name, options, tolerance) => {
    const fixed = fixedFeatures({ sampleRate: 16_000, ...options });
    if (!fixed) throw new Error("It is a waveform.");
    const into = new Float32Array(fixed.shape[0] * fixed.shape[1]);
    const differences = everyFifth.map((samples, at) => {
      const parts = fixed.fill(samples, into);
      while (!parts.next().done);
      return differenceOf(into, features[name][at] as never);
    });
    expect(differences).toHaveLength(40);
    expect(Math.max(...differences)).toBeLessThan(tolerance);
  });

  test("waveform", () => {
    const differences = everyFifth.map((samples, at) =>
      differenceOf(normalized(samples), features.waveform[at] as never),
    );
    expect(Math.max(...differences)).toBeLessThan(5e-5);
  });
});
