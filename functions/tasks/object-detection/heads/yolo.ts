import type { Parts } from "../../define.ts";
import { highest, suppress, type Candidate } from "../suppress.ts";
import {
  around,
  checked,
  checkScores,
  outputOf,
  type DetectionManifest,
  type Head,
  type Numbers,
} from "./head.ts";

/** So many boxes may take part in removing overlaps: those with the highest scores, as ultralytics has it. */
const MOST_CANDIDATES = 30_000;
const PIXEL = { width: 1, height: 1 };

/** Where the numbers of a place are. */
interface Layout {
  places: number;
  /** From a number of a place to its next one, and from a place to the next. */
  step: number;
  stride: number;
  /** The number of the first label. */
  first: number;
}

/** YOLO's ends with a score for each label at each place. Each place has one label, and overlaps are removed. */
export function yoloHead(manifest: DetectionManifest): Head {
  const { labels, detection } = manifest;
  const { head, output: name, iou = 1, maxDetections: most } = detection;
  const hasObjectness = head === "yolo-objectness";
  const first = hasObjectness ? 5 : 4;
  const numbers = first + labels.length;
  const shape = hasObjectness ? ([-1, numbers] as const) : ([numbers, -1] as const);
  const openPlaces = outputOf(manifest, { field: "output", name, shape });
  return {
    outputNames: [name],
    open(outputs, rows) {
      const { places, of } = openPlaces(outputs, rows);
      const [step, stride] = hasObjectness ? [1, numbers] : [places, 1];
      const layout = { places, step, stride, first };
      return (row, _frame, threshold) => read(of(row), layout, threshold);
    },
  };

  // Made for each picture, a generator function and all that it sees would live until the whole heap is collected.
  function* read(data: Numbers, layout: Layout, threshold: number): Parts<Candidate[]> {
    const best = yield* bestOf(data, labels.length, layout);
    if (hasObjectness)
      for (let place = 0; place < layout.places; place++)
        best.scores[place]! *= data[place * layout.stride + 4]!;
    checkScores(manifest, best.scores);
    const found = highest(best.scores, threshold, MOST_CANDIDATES);
    yield;
    return yield* suppress(candidates(data, layout, best, found), { iou, most });
  }

  function* candidates(
    data: Numbers,
    { step, stride }: Layout,
    best: Best,
    found: readonly number[],
  ): Generator<Candidate> {
    for (const place of found) {
      const box = around(data, { at: place * stride, step, unit: PIXEL });
      const [label, score] = [best.labels[place]!, best.scores[place]!];
      yield checked(manifest, { label, score, box });
    }
  }
}

/** So many places have their numbers in the processor's cache, in whichever order these are. */
const PLACES_TOGETHER = 256;
/** Others take turns after so many numbers: some milliseconds. */
const NUMBERS_AT_ONCE = 500_000;

/** The highest score of each place and its label. */
interface Best {
  scores: Float32Array;
  labels: Int32Array;
}

/** A score is NaN where one of a place's scores is. */
function* bestOf(
  data: Numbers,
  labelCount: number,
  { places, step, stride, first }: Layout,
): Parts<Best> {
  const scores = new Float32Array(places).fill(-Infinity);
  const labels = new Int32Array(places);
  let numbers = 0;
  for (let from = 0; from < places; from += PLACES_TOGETHER) {
    const to = Math.min(from + PLACES_TOGETHER, places);
    for (let label = 0; label < labelCount; label++)
      for (let place = from; place < to; place++) {
        const score = data[(first + label) * step + place * stride]!;
        if (!(score > scores[place]!) && !Number.isNaN(score)) continue;
        scores[place] = Number.isNaN(scores[place]) ? NaN : score;
        labels[place] = label;
      }
    numbers += (to - from) * labelCount;
    if (numbers < NUMBERS_AT_ONCE) continue;
    numbers = 0;
    yield;
  }
  return { scores, labels };
}
