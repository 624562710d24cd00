import { NearcastError } from "../../../errors.ts";
import type { ManifestOf } from "../../../model/manifest.ts";
import { numbersOf, type Tensors } from "../../../tensor.ts";
import type { Parts } from "../../define.ts";
import type { Size } from "../../image/fit.ts";
import type { Box } from "../detection.ts";
import type { objectDetectionOptions } from "../options.ts";
import type { Candidate } from "../suppress.ts";

export type DetectionManifest = ManifestOf<typeof objectDetectionOptions> & { labels: string[] };
export type Numbers = Float32Array | Float64Array;

/**
 * Gives what the graph found in the picture of a row, the highest score first. `frame` is the size of the graph's input,
 * whose pixels the boxes are in. Works in parts where there may be many. Throws `model_corrupt` for numbers that are no boxes or no scores.
 */
export type ReadRow = (
  row: number,
  frame: Size,
  threshold: number,
) => Candidate[] | Parts<Candidate[]>;

/** What a graph ends with. */
export interface Head {
  outputNames: string[];
  open(outputs: Tensors, rows: number): ReadRow;
}

/** The numbers of an output of a run. */
interface Opened {
  /** How many there are along the free dimension. */
  places: number;
  of: (row: number) => Numbers;
}

/**
 * Opens an output whose rows have this shape of two dimensions, one of which is free (-1). Throws an Error that names the
 * field of the manifest where its output has another one.
 */
export function outputOf(
  manifest: DetectionManifest,
  { field, name, shape }: { field: string; name: string; shape: readonly [number, number] },
): (outputs: Tensors, rows: number) => Opened {
  const declared = manifest.outputs.find((one) => one.name === name);
  const fits = (made: readonly number[]) =>
    made.length === 3 && shape.every((size, axis) => size === -1 || made[axis + 1] === size);
  if (!declared || !["FP32", "FP64", "FP16"].includes(declared.datatype) || !fits(declared.shape))
    throw new Error(
      `detection.${field} must name an FP32, FP64 or FP16 output of shape [-1, ${shape.join(", ")}], where -1 is any size`,
    );
  return (outputs, rows) => {
    const tensor = outputs[name];
    const data = numbersOf(tensor?.data);
    if (!tensor || !data || tensor.shape[0] !== rows || !fits(tensor.shape))
      throw corrupt(manifest, `its output ${name} has another shape than its manifest says`);
    const width = data.length / rows;
    return {
      places: tensor.shape[shape.indexOf(-1) + 1] ?? 0,
      of: (row) => data.subarray(row * width, (row + 1) * width),
    };
  };
}

/** Throws where a score is not a number. A comparison would leave it out. */
export function checkScores(manifest: DetectionManifest, scores: Float32Array): void {
  if (scores.some(Number.isNaN)) throw corrupt(manifest, "one of its scores is not a number");
}

/** Rounding may bring a score so far above 1. */
const ROUNDING = 1e-3;

/** The same box. Throws where it is not finite, or its score is no part of 1. */
export function checked(manifest: DetectionManifest, candidate: Candidate): Candidate {
  const { score, box } = candidate;
  if (!Object.values(box).every(Number.isFinite))
    throw corrupt(manifest, "one of its boxes is not finite");
  if (score > 1 + ROUNDING)
    throw corrupt(manifest, `one of its scores is ${score}, and 1 is the highest`);
  return candidate;
}

export function corrupt({ name }: DetectionManifest, what: string): NearcastError {
  return new NearcastError("model_corrupt", `The model ${name} answers with no boxes: ${what}.`);
}

/** The box of a centre and a size, which are `step` numbers apart from each other and parts of `unit`. */
export function around(
  data: Numbers,
  { at, step, unit }: { at: number; step: number; unit: Size },
): Box {
  const [x, y] = [data[at]!, data[at + step]!];
  const [halfWidth, halfHeight] = [data[at + 2 * step]! / 2, data[at + 3 * step]! / 2];
  return {
    xmin: (x - halfWidth) * unit.width,
    ymin: (y - halfHeight) * unit.height,
    xmax: (x + halfWidth) * unit.width,
    ymax: (y + halfHeight) * unit.height,
  };
}
