import type { Parts } from "../define.ts";
import type { Size } from "../image/fit.ts";
import { probabilities, WEIGHED_TOGETHER, weighedGrid, type Planes } from "./grids.ts";
import {
  checkFinite,
  corrupt,
  outputOf,
  segmentsOfLabels,
  type Divided,
  type Head,
  type Numbers,
  type SegmentationManifest,
} from "./head.ts";
import { highestLabels } from "./highest-label.ts";
import { dividedInstances } from "./instances.ts";
import type { ImageSegmentationParameters } from "./options.ts";
import { dividedPanoptically } from "./panoptic.ts";
import { gridIn, type Found, type Queried } from "./queried.ts";
import type { Where } from "./resize.ts";

/**
 * The end of MaskFormer, Mask2Former and DETR: a mask and a label for each query, as their processors in transformers read
 * them.
 */
export function queryHead(manifest: SegmentationManifest, classes: string): Head {
  const { labels, segmentation, outputs: declared } = manifest;
  const { output: name, scaled, instances } = segmentation;
  const width = labels.length + 1;
  const openMasks = outputOf(manifest, { field: "output", name, shape: [-1, -1, -1] });
  const queries = declared.find((one) => one.name === classes)?.shape[1] ?? -1;
  // How much work a picture is must be known before the graph runs.
  if (queries < 1)
    throw new Error(
      `the output ${classes} must say how many queries there are: [-1, queries, ${width}]`,
    );
  const openClasses = outputOf(manifest, {
    field: "classes",
    name: classes,
    shape: [queries, width],
  });
  return {
    outputNames: [name, classes],
    subtasks: ["panoptic", "instance", "semantic"],
    depth: Math.max(labels.length, queries),
    gridWork(picture, { subtask }, outputs) {
      const shape = outputs?.[name]?.shape ?? declared.find((one) => one.name === name)?.shape;
      const [, , down = -1, across = -1] = shape ?? [];
      const { height, width: columns } = scaled ?? { height: down, width: across };
      if (height < 0 || columns < 0) return 0;
      const rows = subtask === "instance" ? height : Math.min(2 * picture.height, height);
      const each = subtask === "semantic" ? 1 + labels.length / WEIGHED_TOGETHER : 1;
      return rows * columns * queries * each;
    },
    open(outputs, rows) {
      const [masks, scored] = [openMasks(outputs, rows), openClasses(outputs, rows)];
      const [count = 0, height = 1, across = 1] = masks.shape;
      if (count !== scored.shape[0])
        throw corrupt(manifest, "it has not as many masks as rows of labels");
      return (row, picture, where, parameters) => {
        const planes = { count, height, width: across, data: masks.of(row) };
        return divide(planes, scored.of(row), picture, where, parameters);
      };
    },
  };

  function* divide(
    planes: Planes,
    logits: Numbers,
    picture: Size,
    where: Where,
    { subtask = "panoptic", ...thresholds }: ImageSegmentationParameters,
  ): Parts<Divided> {
    yield* checkFinite(manifest, planes.data);
    yield* checkFinite(manifest, logits);
    const queried: Queried = { planes, scores: softmaxOfRows(logits, width), scaled };
    if (subtask === "semantic") {
      const grid = weighedGrid(
        probabilities(gridIn(queried)),
        withoutNothing(queried.scores, width),
      );
      return yield* segmentsOfLabels(yield* highestLabels(grid, picture, where), labels);
    }
    if (subtask === "instance" && instances === "best")
      return yield* named(dividedInstances(queried, picture, where, thresholds));
    return yield* named(dividedPanoptically(queried, picture, where, thresholds));
  }

  function* named(parts: Parts<Found>): Parts<Divided> {
    const { map, found } = yield* parts;
    const segments = found.map(({ label, score }, number) => ({
      number,
      label: labels[label]!,
      score,
    }));
    return { map, segments };
  }
}

function softmaxOfRows(logits: Numbers, width: number): Float64Array {
  const scores = Float64Array.from(logits);
  for (let from = 0; from < scores.length; from += width) {
    const own = scores.subarray(from, from + width);
    const most = own.reduce((one, other) => Math.max(one, other), -Infinity);
    let sum = 0;
    for (const [at, value] of own.entries()) sum += own[at] = Math.exp(value - most);
    for (let at = 0; at < width; at++) own[at]! /= sum;
  }
  return scores;
}

function withoutNothing(scores: Float64Array, width: number): Float64Array {
  return scores.filter((_, at) => at % width < width - 1);
}
