import type { Parts } from "../define.ts";
import type { Size } from "../image/fit.ts";
import { gridOf, type Planes } from "./grids.ts";
import {
  checkFinite,
  outputOf,
  segmentsOfLabels,
  type Divided,
  type Head,
  type SegmentationManifest,
} from "./head.ts";
import { highestLabels } from "./highest-label.ts";
import type { Where } from "./resize.ts";

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
      return (row, picture, where) =>
        divide({ count, height, width, data: of(row) }, picture, where);
    },
  };

  function* divide(planes: Planes, picture: Size, where: Where): Parts<Divided> {
    yield* checkFinite(manifest, planes.data);
    return yield* segmentsOfLabels(yield* highestLabels(gridOf(planes), picture, where), labels);
  }
}
