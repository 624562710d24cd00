import { highest } from "../suppress.ts";
import {
  around,
  checked,
  checkScores,
  corrupt,
  outputOf,
  type DetectionManifest,
  type Head,
  type Numbers,
} from "./head.ts";

/**
 * The ends of DETR and what came from it, as `post_process_object_detection` of transformers reads them. Overlaps are not
 * removed: the network was trained to have none.
 */
export function detrHead(manifest: DetectionManifest): Head {
  const { labels, detection } = manifest;
  const { output, logits = "", activation, maxDetections: most } = detection;
  const count = labels.length;
  const isSoftmax = activation === "softmax";
  const width = isSoftmax ? count + 1 : count;
  const openBoxes = outputOf(manifest, { field: "output", name: output, shape: [-1, 4] });
  const openLogits = outputOf(manifest, { field: "logits", name: logits, shape: [-1, width] });
  return {
    outputNames: [output, logits],
    open(outputs, rows) {
      const [boxes, scored] = [openBoxes(outputs, rows), openLogits(outputs, rows)];
      if (boxes.places !== scored.places)
        throw corrupt(manifest, "its outputs have not as many boxes as rows of logits");
      return (row, frame, threshold) => {
        const data = boxes.of(row);
        const { scores, at } = (isSoftmax ? bestOfQueries : allOfQueries)(scored.of(row), width);
        checkScores(manifest, scores);
        return highest(scores, threshold, most).map((index) => {
          const { query, label } = at(index);
          const box = around(data, { at: query * 4, step: 1, unit: frame });
          return checked(manifest, { label, score: scores[index]!, box });
        });
      };
    },
  };
}

/** Scores, and which query and label each belongs to. */
interface Scored {
  scores: Float32Array;
  at: (index: number) => { query: number; label: number };
}

/** Each label of each query by itself. */
function allOfQueries(logits: Numbers, width: number): Scored {
  return {
    scores: Float32Array.from(logits, (value) => 1 / (1 + Math.exp(-value))),
    at: (index) => ({ query: Math.floor(index / width), label: index % width }),
  };
}

/** The best label of each query, by a softmax whose last number is for nothing. */
function bestOfQueries(logits: Numbers, width: number): Scored {
  const queries = logits.length / width;
  const [scores, labels] = [new Float32Array(queries), new Int32Array(queries)];
  for (let query = 0; query < queries; query++) {
    const own = logits.subarray(query * width, (query + 1) * width);
    let best = 0;
    for (let label = 1; label < width - 1; label++) if (own[label]! > own[best]!) best = label;
    let sum = 0;
    for (const value of own) sum += Math.exp(value - own[best]!);
    scores[query] = 1 / sum;
    labels[query] = best;
  }
  return { scores, at: (query) => ({ query, label: labels[query]! }) };
}
