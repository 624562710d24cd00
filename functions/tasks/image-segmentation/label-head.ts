import { gridOf } from "./grids.ts";
import {
  checkFinite,
  outputOf,
  segmentsOfLabels,
  type Head,
  type SegmentationManifest,
} from "./head.ts";
import { highestLabels } from "./highest-label.ts";

/**
 * The end of SegFormer, UperNet, DeepLab and others like them, as `post_process_semantic_segmentation` of transformers reads
 * it: each pixel has one label, and each label that a pixel has is a segment.
 */
export function labelHead(manifest: SegmentationManifest): Head {
  const { labels, segmentation } = manifest;
  const { output: name } = segmentation;
  const count = labels.length;
  const open = outputOf(manifest, { field: "output", name, shape: [count, -1, -1] });
  return {
    outputNames: [name],
    subtasks: ["semantic"],
    depth: count,
    gridWork: () => 0,
    open(outputs, rows) {
      const { shape, of } = open(outputs, rows);
      const [, height = 1, width = 1] = shape;
      return function* (row, picture, where) {
        const data = of(row);
        yield* checkFinite(manifest, data);
        const map = yield* highestLabels(gridOf({ count, height, width, data }), picture, where);
        return yield* segmentsOfLabels(map, labels);
      };
    },
  };
}
