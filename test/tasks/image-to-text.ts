import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import type { ReadText } from "../../functions/tasks/image-to-text/reader.ts";
import { nearcast } from "../cli/nearcast.ts";

/** A text, and its score where the graph gives one. */
export type RecordedText = [text: string, score?: number];

export interface Recorded {
  /** In base64. */
  pictures: string[];
  /** What stands in them. */
  texts: string[];
  cases: {
    model: string;
    /** For each picture. */
    rows: RecordedText[];
    rates: Record<string, number>;
  }[];
}

export const folder = join(import.meta.dirname, "../fixtures/image-to-text");

/** What make.py recorded. */
export async function recordedTexts(): Promise<Recorded> {
  const file = await readFile(join(folder, "recorded.json.gz"));
  return JSON.parse(gunzipSync(file).toString()) as Recorded;
}

const CHARACTERS = ["--labels-from", join(folder, "characters.txt")];
const HALF = ["--mean", "0.5", "--std", "0.5"];
const FILLED = ["--image", "160x48", "--fill", "0", "--resample", "opencv", "--bgr", ...HALF];
const STRETCHED = ["--image", "128x32", "--resize", "128x32", "--resample", "bicubic", ...HALF];

/** What `add` needs to know of each graph. */
export const FLAGS = {
  crnn: ["--image", "640x32", "--least-width", "16", "--invert", "--blank", "0", ...CHARACTERS],
  filled: [...FILLED, "--blank", "last", ...CHARACTERS],
  ended: [...STRETCHED, "--end", "last", ...CHARACTERS],
  classes: [...STRETCHED, "--end", "last", ...CHARACTERS],
};

/** Adds a graph to a folder, and releases it. */
export async function addReader(models: string, name: keyof typeof FLAGS): Promise<void> {
  const flags = ["--task", "image-to-text", "--name", name, "--models", models, ...FLAGS[name]];
  expect(await nearcast(["add", join(folder, `${name}.onnx`), ...flags])).toMatchObject({
    code: 0,
    stderr: "",
  });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}

/** Adds all graphs to a new folder. */
export async function addedReaders(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
  for (const name of Object.keys(FLAGS)) await addReader(models, name as keyof typeof FLAGS);
  return models;
}

/** The rows whose texts are not the recorded ones, or whose scores differ by 1e-4. */
export function unlikeTexts(
  answers: readonly ReadText[],
  rows: readonly RecordedText[],
): { row: number; made: ReadText | undefined; wanted: RecordedText }[] {
  return rows.flatMap(([text, score], row) => {
    const made = answers[row];
    const isLike =
      made?.generated_text === text &&
      (score === undefined
        ? made.score === undefined
        : Math.abs((made.score ?? -1) - score) < 1e-4);
    return isLike ? [] : [{ row, made, wanted: rows[row]! }];
  });
}
