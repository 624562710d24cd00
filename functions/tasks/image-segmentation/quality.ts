import type { Quality } from "../define.ts";
import { countsOf } from "./run-lengths.ts";
import { LONGEST_EDGE, NONE, type Rle } from "./segments.ts";

/** A mask in the data: COCO's run-length code, compressed or as numbers. */
interface Truth {
  label: string;
  mask: { size: Rle["size"]; counts: string | readonly number[] };
}

/**
 * The mean intersection over union: for each label, the pixels that have it in both masks, of those that have it in one, over
 * all pictures. Then the mean over the labels that the data or the answers have. Pixels without a label in the data do not count.
 */
export function segmentationQuality(labels: readonly string[]): Quality {
  return {
    parameters: { encoding: "rle", subtask: "semantic" },
    // One picture may take all that a request may.
    rows: 1,
    problemWith(truth) {
      if (!Array.isArray(truth) || truth.length === 0 || !truth.every(isTruth))
        return "must be an array of objects with label and mask, whose size is [height, width] and whose counts are COCO's run lengths";
      const other = truth.find(({ label }) => !labels.includes(label));
      if (other) return `the model has no label ${JSON.stringify(other.label)}`;
      const sizes = new Set(truth.map(({ mask }) => String(mask.size)));
      if (sizes.size > 1) return "its masks must have one size, that of the picture";
      return labelsIn(truth, labels) === undefined
        ? "each count must be 0 or more, and all of a mask as many as its pixels; masks of two labels must not share pixels"
        : undefined;
    },
    metrics(truths, answers) {
      const [shared, either] = [new Float64Array(labels.length), new Float64Array(labels.length)];
      let pixels = 0;
      for (const [row, truth] of (truths as Truth[][]).entries()) {
        const wanted = labelsIn(truth, labels);
        const made = labelsIn(answers[row] as Truth[], labels);
        if (!wanted || wanted.length !== made?.length)
          throw new Error(
            `The masks of picture ${row + 1} of the data have another size than the picture.`,
          );
        for (let at = 0; at < wanted.length; at++) {
          const [label, other] = [wanted[at]!, made[at]!];
          if (label === NONE) continue;
          pixels++;
          either[label]!++;
          if (label === other) shared[label]!++;
          else if (other !== NONE) either[other]!++;
        }
      }
      const known = labels.map((_, label) => label).filter((label) => either[label]! > 0);
      const ratios = known.map((label) => shared[label]! / either[label]!);
      return {
        mean_iou: sumOf(ratios) / ratios.length,
        pixel_accuracy: sumOf([...shared]) / pixels,
      };
    },
  };
}

function isTruth(value: unknown): value is Truth {
  const { label, mask } = (value ?? {}) as Partial<Truth>;
  const { size, counts } = (mask ?? {}) as Partial<Truth["mask"]>;
  return (
    typeof label === "string" &&
    Array.isArray(size) &&
    size.length === 2 &&
    size.every((edge) => Number.isInteger(edge) && edge > 0 && edge <= LONGEST_EDGE) &&
    (typeof counts === "string" || (Array.isArray(counts) && counts.every(Number.isInteger)))
  );
}

/**
 * The label's number of each pixel, down the columns, or NONE. Undefined where masks are not as long as their size says, or
 * two labels share a pixel.
 */
function labelsIn(segments: readonly Truth[], labels: readonly string[]): Uint16Array | undefined {
  const [first] = segments;
  if (!first) return undefined;
  const [height, width] = first.mask.size;
  const numbers = new Uint16Array(height * width).fill(NONE);
  for (const { label, mask } of segments) {
    const number = labels.indexOf(label);
    const counts = countsOf(mask.counts);
    if (!counts || counts.some((count) => count < 0) || sumOf(counts) !== numbers.length)
      return undefined;
    let at = 0;
    for (const [index, count] of counts.entries()) {
      if (index % 2 === 1) {
        const own = numbers.subarray(at, at + count);
        if (own.some((other) => other !== NONE && other !== number)) return undefined;
        own.fill(number);
      }
      at += count;
    }
  }
  return numbers;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
