import { NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf, type Tensors } from "../../tensor.ts";
import type { Parts } from "../define.ts";
import type { Placement, Size } from "../image/fit.ts";
import { highestLabels, NUMBERS_AT_ONCE, type Logits } from "./highest-label.ts";
import type { imageSegmentationOptions } from "./options.ts";
import type { Segment, SegmentMap } from "./segments.ts";

export type SegmentationManifest = ManifestOf<typeof imageSegmentationOptions> & {
  labels: string[];
};

/** The segments of a picture, numbered from 0 on. */
interface Divided {
  map: SegmentMap;
  segments: Segment[];
}

/** Divides the picture of a row. Throws `model_corrupt` for outputs of which that cannot be done. */
export type ReadRow = (
  row: number,
  picture: Size,
  where: { place: Placement; frame: Size },
) => Parts<Divided>;

/** What a graph ends with. */
interface Head {
  outputNames: string[];
  open(outputs: Tensors, rows: number): ReadRow;
}

/**
 * The end of SegFormer, UperNet, DeepLab and others like them, as `post_process_semantic_segmentation` of transformers reads
 * it: each pixel has one label, and each label that a pixel has is a segment.
 */
export function labelHead(manifest: SegmentationManifest): Head {
  const { labels, segmentation, outputs: declared } = manifest;
  const { output: name } = segmentation;
  const output = declared.find((one) => one.name === name);
  const fits = (shape: readonly number[]) => shape.length === 4 && shape[1] === labels.length;
  if (!output || !["FP32", "FP64", "FP16"].includes(output.datatype) || !fits(output.shape))
    throw new Error(
      `segmentation.output must name an FP32, FP64 or FP16 output of shape [-1, ${labels.length}, -1, -1], where -1 is any size`,
    );
  return {
    outputNames: [name],
    open(outputs, rows) {
      const tensor = outputs[name];
      const data = numbersOf(tensor?.data);
      const [, count = 0, height = 0, width = 0] = tensor?.shape ?? [];
      if (!tensor || !data || !fits(tensor.shape) || tensor.shape[0] !== rows || height * width < 1)
        throw corrupt(manifest, `its output ${name} has another shape than its manifest says`);
      const numbers = count * height * width;
      return function* (row, picture, where) {
        const own = data.subarray(row * numbers, (row + 1) * numbers);
        const logits = { labels: count, height, width, data: own };
        yield* checkFinite(manifest, logits);
        return yield* segmentsOf(yield* highestLabels(logits, picture, where), labels);
      };
    },
  };
}

/** Throws where a number has no end or is none: no comparison would say so. */
function* checkFinite(manifest: SegmentationManifest, { data }: Logits): Parts<void> {
  for (let from = 0; from < data.length; from += NUMBERS_AT_ONCE) {
    yield;
    if (!data.subarray(from, from + NUMBERS_AT_ONCE).every(Number.isFinite))
      throw corrupt(manifest, "one of its scores is not a finite number");
  }
}

/** The labels that any pixel has become segments, in the order of the manifest. */
function* segmentsOf(map: SegmentMap, labels: readonly string[]): Parts<Divided> {
  const { numbers } = map;
  const places = new Int32Array(labels.length).fill(-1);
  for (let at = 0; at < numbers.length; at++) places[numbers[at]!] = 0;
  yield;
  const segments: Segment[] = [];
  for (const [id, label] of labels.entries()) {
    if (places[id] === -1) continue;
    places[id] = segments.length;
    segments.push({ number: segments.length, label });
  }
  for (let at = 0; at < numbers.length; at++) numbers[at] = places[numbers[at]!]!;
  return { map, segments };
}

function corrupt({ name }: SegmentationManifest, what: string): NearcastError {
  return new NearcastError("model_corrupt", `The model ${name} answers with no masks: ${what}.`);
}
