import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { nearcast } from "../cli/nearcast.ts";
import { wavOf } from "./recordings.ts";

/** What a recording of make.py is. */
interface Recipe {
  parts: [first: number, length: number, gain: number][];
  noise: number;
  rate: number;
  channels: number;
  seed: number;
}

/** In samples, at 16,000 a second. */
export type Samples = [start: number, end: number];

export interface HeardByLibrary {
  segments: Samples[];
  probabilities: number[];
}

export const voiceFixtures = join(import.meta.dirname, "../fixtures/voice");

/** What make.py recorded of the package silero-vad. */
export const recordedVoices = JSON.parse(
  gunzipSync(readFileSync(join(voiceFixtures, "recorded.json.gz"))).toString(),
) as {
  recipes: Recipe[];
  parameters: Record<string, number>[];
  models: Record<"silero" | "gru", HeardByLibrary[]>;
  slow: { rows: number[]; heard: HeardByLibrary[] };
  long: { samples: number; segments: Samples[] };
  metrics: Record<"detection_error_rate" | "precision" | "recall" | "f1", number>;
};

/** The package's own graph, where `.ci/run` has installed it. */
const sileroFolder = join(import.meta.dirname, "../../.cache/silero-vad/silero_vad/data");
export const silero = join(sileroFolder, "silero_vad.onnx");
export const hasSilero = existsSync(silero);
if (!hasSilero) console.log("silero-vad is not in .cache: its own graph is not tested");

export interface VoiceAnswer {
  segments: { start: number; end: number }[];
  speaking_since?: number;
  probabilities?: number[];
  state?: string;
}

const file = readFileSync(join(voiceFixtures, "voices.wav"));
const voices = new Int16Array(new Uint8Array(file.subarray(44)).buffer);

/** The samples of a recording, as make.py makes them, at its rate. */
export function voiceSamples({ parts, noise, rate, seed }: Recipe): Int16Array {
  const length = parts.reduce((sum, [, own]) => sum + own, 0);
  const samples = new Float64Array(length);
  let at = 0;
  for (const [first, own, gain] of parts)
    for (let index = 0; index < own; index++)
      samples[at++] = Math.floor(((voices[first + index] as number) * gain) / 256);
  let state = seed;
  if (noise > 0)
    for (let index = 0; index < length; index++) {
      state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
      samples[index]! += Math.floor(((Math.floor(state / 65_536) - 32_768) * noise) / 32_768);
    }
  return Int16Array.from({ length: Math.floor((length * rate) / 16_000) }, (_, index) =>
    Math.max(-32_768, Math.min(32_767, samples[Math.floor((index * 16_000) / rate)] as number)),
  );
}

/** A WAV file of 16 bits. Its second channel is half as loud. */
export function wavOfVoice(samples: Int16Array, rate = 16_000, channels = 1) {
  const all = new Int16Array(samples.length * channels);
  for (const [index, sample] of samples.entries())
    for (let channel = 0; channel < channels; channel++)
      all[index * channels + channel] = sample >> channel;
  return wavOf(new Uint8Array(all.buffer), { rate, channels });
}

export const voiceFiles = recordedVoices.recipes.map((recipe) =>
  wavOfVoice(voiceSamples(recipe), recipe.rate, recipe.channels),
);

/** How the fixture's graph hears. */
export const GRU = {
  voice: { sampleRate: 16_000, window: 512, context: 64 },
  state: { h: "hn" },
};

/** A folder with released models: `gru`, and Silero's as `silero` and `silero8` where they are there. */
export async function voiceModels(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
  const task = "voice-activity-detection";
  const graph = join(voiceFixtures, "gru.onnx");
  const commands = [
    ["gru", [graph, "--task", task, "--options", JSON.stringify(GRU)]],
    ...(hasSilero
      ? ([
          ["silero", [silero]],
          [
            "silero8",
            [
              silero,
              "--task",
              task,
              "--options",
              '{"voice": {"sampleRate": 8000, "window": 256, "context": 32}, "state": {"state": "stateN"}}',
            ],
          ],
        ] as const)
      : []),
  ] as const;
  for (const [name, flags] of commands) {
    const added = await nearcast(["add", ...flags, "--name", name, "--models", models]);
    expect(added).toMatchObject({ code: 0, stderr: "" });
    await mkdir(join(models, name), { recursive: true });
    await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
  }
  return models;
}

/** Segments in samples, as the library has them. */
export function inSamples({ segments }: VoiceAnswer, rate = 16_000): Samples[] {
  return segments.map(({ start, end }) => [Math.round(start * rate), Math.round(end * rate)]);
}

/** The largest difference between two lists of numbers of the same length. */
export function apart(made: readonly number[] = [], wanted: readonly number[]): number {
  if (made.length !== wanted.length) return Infinity;
  return made.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (wanted[index] as number))),
    0,
  );
}
