import { NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf, type Tensors } from "../../tensor.ts";
import type { Parts } from "../define.ts";
import type { Size } from "../image/fit.ts";
import type { imageSegmentationOptions, ImageSegmentationParameters, Subtask } from "./options.ts";
import { eachRow, NUMBERS_AT_ONCE, type Where } from "./resize.ts";
import type { Segment, SegmentMap } from "./segments.ts";

export type SegmentationManifest = ManifestOf<typeof imageSegmentationOptions> & {
  labels: string[];
};
export type Numbers = Float32Array | Float64Array;

/** The segments of a picture, numbered from 0 on. */
export interface Divided {
  map: SegmentMap;
  segments: Segment[];
}

/** Divides the picture of a row. Throws `model_corrupt` for outputs of which that cannot be done. */
export type ReadRow = (
  row: number,
  picture: Size,
  where: Where,
  parameters: ImageSegmentationParameters,
) => Parts<Divided>;

/** What a graph ends with. */
export interface Head {
  outputNames: string[];
  /** What it can do. The first one is done where the request does not say `subtask`. */
  subtasks: readonly Subtask[];
  /** The most numbers that it may resize for each pixel of a picture. */
  depth: number;
  /**
   * How many numbers it takes to make what is resized to a picture. 0 where that is next to nothing, or where the sizes
   * of the outputs are not known before the run.
   */
  gridWork(picture: Size, parameters: ImageSegmentationParameters, outputs?: Tensors): number;
  open(outputs: Tensors, rows: number): ReadRow;
}

/** An output of a run. */
interface Opened {
  shape: readonly number[];
  of: (row: number) => Numbers;
}

/**
 * Opens an output whose rows have this shape, where -1 is any size above 0. Throws an Error that names the field of the
 * manifest where its output has another one.
 */
export function outputOf(
  manifest: SegmentationManifest,
  { field, name, shape }: { field: string; name: string; shape: readonly number[] },
): (outputs: Tensors, rows: number) => Opened {
  const declared = manifest.outputs.find((one) => one.name === name);
  const fits = (made: readonly number[]) =>
    made.length === shape.length + 1 &&
    shape.every((size, axis) => size === -1 || made[axis + 1] === size);
  if (!declared || !["FP32", "FP64", "FP16"].includes(declared.datatype) || !fits(declared.shape))
    throw new Error(
      `segmentation.${field} must name an FP32, FP64 or FP16 output of shape [-1, ${shape.join(", ")}], where -1 is any size`,
    );
  return (outputs, rows) => {
    const tensor = outputs[name];
    const data = numbersOf(tensor?.data);
    if (!tensor || !data || tensor.shape[0] !== rows || !fits(tensor.shape) || data.length === 0)
      throw corrupt(manifest, `its output ${name} has another shape than its manifest says`);
    const width = data.length / rows;
    return {
      shape: tensor.shape.slice(1),
      of: (row) => data.subarray(row * width, (row + 1) * width),
    };
  };
}

/** Throws where a number has no end or is none: no comparison would say so. */
export function* checkFinite(manifest: SegmentationManifest, data: Numbers): Parts<void> {
  for (let from = 0; from < data.length; from += NUMBERS_AT_ONCE) {
    yield;
    if (!data.subarray(from, from + NUMBERS_AT_ONCE).every(Number.isFinite))
      throw corrupt(manifest, "one of its scores is not a finite number");
  }
}

/** The labels that any pixel has become segments, in the order of the manifest. */
export function* segmentsOfLabels(map: SegmentMap, labels: readonly string[]): Parts<Divided> {
  const { width, height, numbers } = map;
  const places = new Int32Array(labels.length).fill(-1);
  yield* eachRow(height, width, (y) => {
    for (let at = y * width; at < (y + 1) * width; at++) places[numbers[at]!] = 0;
  });
  const segments: Segment[] = [];
  for (const [id, label] of labels.entries()) {
    if (places[id] === -1) continue;
    places[id] = segments.length;
    segments.push({ number: segments.length, label });
  }
  yield* renumber(map, places);
  return { map, segments };
}

/** Gives each pixel what `places` has in the place of its number. */
export function* renumber(
  { width, height, numbers }: SegmentMap,
  places: ArrayLike<number>,
): Parts<void> {
  yield* eachRow(height, width, (y) => {
    for (let at = y * width; at < (y + 1) * width; at++) numbers[at] = places[numbers[at]!]!;
  });
}

export function corrupt({ name }: SegmentationManifest, what: string): NearcastError {
  return new NearcastError("model_corrupt", `The model ${name} answers with no masks: ${what}.`);
}
