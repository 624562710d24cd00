import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Recipe } from "./recordings.ts";

/** Some of many numbers, and sums of all. */
export interface Kept {
  length: number;
  places: number[];
  values: number[];
  mean: number;
  square: number;
}

export const fixtures = join(import.meta.dirname, "../fixtures/hugging-face");

/** What make_audio.py recorded of transformers, torchaudio and soundfile. */
export const recorded = JSON.parse(
  gunzipSync(readFileSync(join(fixtures, "tasks/audio.json.gz"))).toString(),
) as {
  labels: string[];
  recipes: Recipe[];
  /** Scores by export, of each recording, in the labels' order. */
  answers: Record<"ast-audio" | "wav2vec2-audio" | "whisper-audio", number[][]>;
  /** Features of every fifth recording, by their kind. */
  features: Record<"fbank" | "log-mel" | "log-mel-128" | "waveform", Kept[]>;
  resampled: Kept[];
  files: { name: string; file: string; samples: number[] }[];
};

/** The largest difference between numbers and those that were kept of them. */
export function differenceOf(made: ArrayLike<number>, kept: Kept): number {
  if (made.length !== kept.length) return Infinity;
  let [sum, squares] = [0, 0];
  for (let at = 0; at < made.length; at++) {
    sum += made[at] as number;
    squares += (made[at] as number) ** 2;
  }
  return Math.max(
    Math.abs(sum / made.length - kept.mean),
    Math.abs(squares / made.length - kept.square),
    ...kept.places.map((place, index) =>
      Math.abs((made[place] ?? NaN) - (kept.values[index] ?? 0)),
    ),
  );
}
