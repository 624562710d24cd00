import { describe, expect, test } from "vitest";
import { fixedFeatures, normalized } from "../../functions/tasks/audio/features.ts";
import type { AudioOptions } from "../../functions/tasks/audio/options.ts";
import type { Parts } from "../../functions/tasks/define.ts";
import { createResampler } from "../../functions/tasks/audio/resample.ts";
import { readWav } from "../../functions/tasks/audio/wav.ts";
import { differenceOf, recorded } from "./recorded.ts";
import { recordingOf, wavOf } from "./recordings.ts";

const { recipes, resampled, features, files } = recorded;

function whole<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

const heard = recipes.map((recipe) => {
  const wav = readWav(recordingOf(recipe));
  return whole(createResampler(16_000).resample(whole(wav.decode()), { from: wav.rate }));
});
const everyFifth = heard.filter((_, index) => index % 5 === 0);

test.each(files)("a file of soundfile has its samples: $name", ({ file, samples }) => {
  const wav = readWav(Buffer.from(file, "base64"));
  const made = whole(wav.decode());
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

test("what is cut is the beginning of the whole, and only that is decoded", () => {
  const some = recipes.filter(({ length }) => length > 1000).slice(0, 30);
  expect(new Set(some.map(({ rate }) => rate)).size).toBeGreaterThan(4);
  for (const recipe of some) {
    const wav = readWav(recordingOf(recipe));
    const { rate: from } = recipe;
    const resampler = createResampler(16_000);
    const all = whole(resampler.resample(whole(wav.decode()), { from }));
    const needed = resampler.samplesFor(77, from);
    expect(needed).toBeLessThan(wav.length);
    const beginning = whole(wav.decode(needed));
    expect(beginning.length).toBe(needed);
    const made = whole(resampler.resample(beginning, { from, most: 77 }));
    expect(made).toEqual(all.slice(0, 77));
    expect(made.buffer.byteLength).toBe(77 * 4);
  }
});

test("decoding and resampling leave others their turns", () => {
  const wav = readWav(wavOf(new Uint8Array(2_000_000).fill(9), { channels: 8, bits: 8 }));
  let pauses = 0;
  const counted = <T>(parts: Parts<T>): T => {
    for (;;) {
      const { done, value } = parts.next();
      if (done) return value;
      pauses++;
    }
  };
  const samples = counted(wav.decode());
  expect(pauses).toBeGreaterThan(5);
  for (const [from, to] of [
    [48_000, 16_000],
    [44_100, 16_000],
    [8000, 16_000],
  ] as const) {
    pauses = 0;
    const made = counted(createResampler(to).resample(samples, { from }));
    const products = made.length * Math.max(13, (12 * from) / to);
    expect(pauses, `${from}`).toBeGreaterThan(products / 4_000_000);
  }
});

test("rates that have little in common with the model's, and many different ones, are refused", () => {
  const usual = createResampler(16_000);
  for (const rate of [191_999, 16_001, 44_101])
    expect(() => usual.samplesFor(9, rate)).toThrow(/too little in common with the model's 16000/);
  for (const rate of [4000, 11_025, 22_050, 44_100, 48_000, 88_200, 176_400, 192_000])
    expect(usual.samplesFor(16_000, rate)).toBeGreaterThan(rate);
  expect(usual.samplesFor(16_000, 16_000)).toBe(16_000);
  const some = createResampler(16_000);
  for (const rate of [11_022, 11_026, 11_034]) some.samplesFor(9, rate);
  expect(() => [11_038, 11_042, 11_046].map((rate) => some.samplesFor(9, rate))).toThrow(
    /those before it too many other rates/,
  );
  expect(some.samplesFor(9, 11_022)).toBeGreaterThan(9);
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
