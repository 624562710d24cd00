import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { CompiledTask, Quantity, TaskVersion } from "../define.ts";
import { inputSizeOf, placementOf, type Size } from "../image/fit.ts";
import type { ImageOptions } from "../image/options.ts";
import { maskedImageInputs } from "../image/pixel-mask.ts";
import type { ImageContext } from "../image/quantities.ts";
import type { Box, Detection } from "./detection.ts";
import { boxesHead } from "./heads/boxes.ts";
import { detrHead } from "./heads/detr.ts";
import type { DetectionManifest, Head } from "./heads/head.ts";
import { yoloHead } from "./heads/yolo.ts";
import type { objectDetectionOptions, ObjectDetectionParameters } from "./options.ts";

type Options = typeof objectDetectionOptions;

/** A detection besides its label and its numbers, as JSON. */
const DETECTION_BYTES = '{"label":"","score":,"box":{"xmin":,"ymin":,"xmax":,"ymax":}},'.length;

export async function compile(
  version: TaskVersion<Options>,
): Promise<CompiledTask<ObjectDetectionParameters>> {
  const { manifest } = version;
  const { image, labels, detection } = manifest;
  if (!labels) throw new Error(`task ${manifest.task} needs labels`);
  const head = headOf({ ...manifest, labels });
  const inputs = await maskedImageInputs(version);
  const longestLabel = Math.max(...labels.map((label) => JSON.stringify(label).length));
  const detectionBytes = DETECTION_BYTES + longestLabel + 5 * NUMBER_BYTES;
  const isYolo = detection.head !== "detr";

  return {
    readsContext: true,
    spendsTensors: true,
    outputNames: head.outputNames,
    quantities: [...inputs.quantities, ...detectionQuantities(labels, detection.threshold)],
    answerBytes: ({ rows }) => rows * detection.maxDetections * detectionBytes,
    preprocess: inputs.preprocess,
    *postprocess(outputs, { rows, context }, { threshold = detection.threshold }) {
      const read = head.open(outputs, rows);
      const answers: Detection[][] = [];
      for (const [row, picture] of (context as ImageContext).entries()) {
        if (row > 0) yield;
        const place = placementOf(picture, image);
        const inPicture = unfitted(picture, place, image);
        const made = read(row, inputSizeOf(place, image), threshold);
        const found = Array.isArray(made) ? made : yield* made;
        answers.push(
          found.map(({ label, score, box }) => ({
            label: labels[label]!,
            score,
            box: wholePixels(isYolo ? within(inPicture(box), picture) : inPicture(box)),
          })),
        );
      }
      return answers;
    },
  };
}

function headOf(manifest: DetectionManifest): Head {
  const { head, logits, activation, iou } = manifest.detection;
  const isDetr = head === "detr";
  if (isDetr !== (logits !== undefined) || isDetr !== (activation !== undefined))
    throw new Error(
      "detection.logits and detection.activation go with the head detr, which needs both",
    );
  if (head.startsWith("yolo") !== (iou !== undefined))
    throw new Error("detection.iou goes with the heads yolo and yolo-objectness, which need it");
  if (isDetr) return detrHead(manifest);
  return head === "boxes" ? boxesHead(manifest) : yoloHead(manifest);
}

/** Brings a box from the graph's input back to the picture. */
function unfitted(
  picture: Size,
  { left, top, ...fitted }: ReturnType<typeof placementOf>,
  { width, height, resize }: ImageOptions,
): (box: Box) => Box {
  // Padding keeps the ratio: both edges have the scale of the one that fills the input, whose other one is rounded.
  const fillsWidth = picture.width * height >= picture.height * width;
  const filled = fillsWidth ? [picture.width, width] : [picture.height, height];
  const isPadded = resize !== undefined && "pad" in resize;
  const [acrossFrom, acrossTo] = isPadded ? filled : [picture.width, fitted.width];
  const [downFrom, downTo] = isPadded ? filled : [picture.height, fitted.height];
  const across = (x: number) => ((x - left) * acrossFrom!) / acrossTo!;
  const down = (y: number) => ((y - top) * downFrom!) / downTo!;
  return ({ xmin, ymin, xmax, ymax }) => ({
    xmin: across(xmin),
    ymin: down(ymin),
    xmax: across(xmax),
    ymax: down(ymax),
  });
}

/** The part of a box in the picture, as ultralytics cuts it. */
function within({ xmin, ymin, xmax, ymax }: Box, { width, height }: Size): Box {
  return {
    xmin: cut(xmin, width),
    ymin: cut(ymin, height),
    xmax: cut(xmax, width),
    ymax: cut(ymax, height),
  };
}

/** Drops fractions of a pixel, towards 0, as transformers' pipeline does. */
function wholePixels({ xmin, ymin, xmax, ymax }: Box): Box {
  return { xmin: whole(xmin), ymin: whole(ymin), xmax: whole(xmax), ymax: whole(ymax) };
}

function cut(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

function whole(value: number): number {
  // Adding 0 makes 0 of -0.
  return Math.trunc(value) + 0;
}

/**
 * How many things a picture has, and which. Those that only a caller's lower threshold gives do not count. The name is in
 * the plural: a picture has several labels, and none of them is its outcome.
 */
function detectionQuantities(labels: readonly string[], threshold: number): Quantity[] {
  const bound = Math.fround(threshold);
  const counted = (answer: unknown) => (answer as Detection[]).filter(({ score }) => score > bound);
  return [
    answerNumber("detections", (answer) => counted(answer).length),
    {
      name: "prediction.labels",
      of: "prediction",
      kind: "category",
      categories: labels,
      each({ answers = [] }, take) {
        for (const answer of answers) for (const { label } of counted(answer)) take(label);
      },
    },
  ];
}
