import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Detection } from "../../functions/tasks/object-detection/detection.ts";

/** A label, its score, and its box before fractions of a pixel are dropped. */
export type RecordedDetection = [
  label: string,
  score: number,
  xmin: number,
  ymin: number,
  xmax: number,
  ymax: number,
];

export interface RecordedDetections {
  model: string;
  threshold: number;
  /** For each picture. */
  rows: RecordedDetection[][];
}

export interface Recorded {
  /** In base64. */
  pictures: string[];
  /** Width and height of pictures, and those that a processor resizes them to. */
  sizes: Record<"detr" | "yolos", [number, number, number, number][]>;
  cases: RecordedDetections[];
}

export const folder = join(import.meta.dirname, "../fixtures/object-detection");

/** What make.py recorded. */
export async function recordedDetections(): Promise<Recorded> {
  const file = await readFile(join(folder, "recorded.json.gz"));
  return JSON.parse(gunzipSync(file).toString()) as Recorded;
}

/** Changes fields of `detection` in a model's manifest. */
export async function setDetection(models: string, name: string, fields: object): Promise<void> {
  const path = join(models, name, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as { detection: object };
  Object.assign(manifest.detection, fields);
  await writeFile(path, JSON.stringify(manifest));
}

/**
 * How the answer differs from what was recorded, in words; undefined if it does not. Scores may differ by 1e-4. A side of
 * a box is the recorded number without its fraction, or the next one where that is within 0.02 pixels.
 */
export function differenceOf(
  made: readonly Detection[],
  recorded: readonly RecordedDetection[],
): string | undefined {
  const scores = made.map(({ score }) => score);
  if (String(scores.toSorted((one, other) => other - one)) !== String(scores))
    return "the highest score is not the first";
  const left = [...recorded];
  for (const one of made) {
    const at = left.findIndex((other) => isSame(one, other));
    if (at < 0) return `${JSON.stringify(one)} was not recorded`;
    left.splice(at, 1);
  }
  return left.length > 0 ? `${JSON.stringify(left[0])} is missing` : undefined;
}

function isSame({ label, score, box }: Detection, [name, wanted, ...sides]: RecordedDetection) {
  const own = [box.xmin, box.ymin, box.xmax, box.ymax];
  return (
    // Of labels with one name, all but the first have their number behind it.
    label.replace(/ \(\d+\)$/, "") === name &&
    Math.abs(score - wanted) < 1e-4 &&
    sides.every((side, index) =>
      [side - 0.02, side, side + 0.02].some((near) => Math.trunc(near) === own[index]),
    )
  );
}
