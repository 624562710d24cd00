import type { Quality } from "../define.ts";
import { overlapOf, type Box, type Detection } from "./detection.ts";

/** A thing in the data. */
type Truth = Pick<Detection, "label" | "box">;

/** COCO's thresholds: what a box must share with a true one. */
const OVERLAPS = Array.from({ length: 10 }, (_, index) => 0.5 + index * (0.45 / 9));
/** The most detections of a label in a picture. */
const MOST = 100;
const RECALLS = 101;

/**
 * The mean average precision of COCO, over all labels that the data has: for boxes that share half of what they cover
 * with a true one, and as the mean over ten such thresholds from 0.5 to 0.95.
 */
export function detectionQuality(labels: readonly string[]): Quality {
  return {
    // Boxes of low scores count too: precision is looked at for each score.
    parameters: { threshold: 0 },
    rows: 1,
    problemWith(truth) {
      if (!Array.isArray(truth) || !truth.every(isTruth))
        return "must be an array of objects with label and box, whose xmin, ymin, xmax and ymax are numbers, the first two below the others";
      const other = truth.find(({ label }) => !labels.includes(label));
      return other && `the model has no label ${JSON.stringify(other.label)}`;
    },
    metrics(truths, answers) {
      const pictures = truths.map((truth, row) => ({
        truths: truth as Truth[],
        detections: answers[row] as Detection[],
      }));
      const known = new Set(pictures.flatMap((one) => one.truths.map(({ label }) => label)));
      if (known.size === 0) throw new Error("The data has no box, so there is nothing to find.");
      const means = OVERLAPS.map((overlap) =>
        meanOf([...known].map((label) => averagePrecision(label, pictures, overlap))),
      );
      return { map_50: means[0] ?? 0, map_50_95: meanOf(means) };
    },
  };
}

function isTruth(value: unknown): value is Truth {
  const { label, box } = (value ?? {}) as Partial<Truth>;
  const { xmin, ymin, xmax, ymax } = (box ?? {}) as Partial<Box>;
  const sides = [xmin, ymin, xmax, ymax];
  return (
    typeof label === "string" &&
    sides.every((side) => typeof side === "number") &&
    xmin! < xmax! &&
    ymin! < ymax!
  );
}

interface Picture {
  truths: readonly Truth[];
  detections: readonly Detection[];
}

/** The area under the curve of precision by recall, at 101 recalls, as COCO's tools have it. */
function averagePrecision(label: string, pictures: readonly Picture[], overlap: number): number {
  const all = pictures.flatMap((picture) => matched(label, picture, overlap));
  const wanted = pictures
    .flatMap(({ truths }) => truths)
    .filter((truth) => truth.label === label).length;
  all.sort((one, other) => other.score - one.score);
  let hits = 0;
  const curve = all.map(({ isHit }, index) => {
    if (isHit) hits++;
    return { recall: hits / wanted, precision: hits / (index + 1) };
  });
  for (let at = curve.length - 2; at >= 0; at--)
    curve[at]!.precision = Math.max(curve[at]!.precision, curve[at + 1]!.precision);
  let [sum, at] = [0, 0];
  for (let step = 0; step < RECALLS; step++) {
    while (at < curve.length && curve[at]!.recall < step / (RECALLS - 1)) at++;
    sum += curve[at]?.precision ?? 0;
  }
  return sum / RECALLS;
}

/** Which detections of a label are right: each true box is found once, by the highest score. */
function matched(label: string, { truths, detections }: Picture, overlap: number) {
  const left = truths.filter((truth) => truth.label === label).map(({ box }) => box);
  return detections
    .filter((detection) => detection.label === label)
    .toSorted((one, other) => other.score - one.score)
    .slice(0, MOST)
    .map(({ score, box }) => {
      let [best, most] = [-1, overlap];
      for (const [index, other] of left.entries()) {
        const shared = overlapOf(box, other);
        if (shared < most) continue;
        [best, most] = [index, shared];
      }
      if (best >= 0) left.splice(best, 1);
      return { score, isHit: best >= 0 };
    });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
