import { readFile } from "node:fs/promises";
import { Option, type Command } from "commander";
import { readGraph, type Graph } from "../../functions/platform/onnx/graph.ts";
import { DETECTION_HEADS } from "../../functions/tasks/object-detection/options.ts";
import { detectionHeadOf, type Activation, type HeadKind } from "./detection-head.ts";
import type { Draft } from "./from-file.ts";
import { picturesOf, type ImageFlags } from "./from-image.ts";
import { distinct } from "./hugging-face-detection.ts";
import type { ScoresFlag } from "./score-meaning.ts";
import { AUTHOR, ultralyticsOf } from "./ultralytics.ts";

export const OBJECT_DETECTION = "object-detection";

export interface DetectionFlags extends ImageFlags {
  labels?: readonly string[] | undefined;
  head?: HeadKind;
  scores?: ScoresFlag;
}

/** `--head` says what a graph with boxes ends with. */
export function withHeadOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--head <kind>",
      "what a graph with boxes ends with, where its shapes do not say it",
    ).choices(DETECTION_HEADS),
  );
}

/** Whether the file says itself that it finds things in pictures, as ultralytics' exports do. */
export async function isDetector(path: string): Promise<boolean> {
  // Most files need not be read as a graph for it.
  const isMarked = (await readFile(path)).includes(AUTHOR);
  return isMarked && ultralyticsOf(await readGraph(path))?.task === "detect";
}

/**
 * A model file that finds things in pictures. An export of ultralytics says itself which size and labels it has; of others
 * flags say it. Throws an Error for what neither says.
 */
export async function draftForDetection(path: string, flags: DetectionFlags): Promise<Draft> {
  const graph = await readGraph(path);
  const about = ultralyticsOf(graph);
  if (about && about.task !== "detect")
    throw new Error(
      `${path} is a model of ultralytics for ${about.task}, which is not ${OBJECT_DETECTION}. Without --task it becomes a tensor model.`,
    );
  const given = flags.labels ?? about?.labels;
  if (!given)
    throw new Error(`${path} does not say its labels: name them with --labels or --labels-from.`);
  if (flags.labels && about && flags.labels.length !== about.labels.length)
    throw new Error(
      `--labels names ${flags.labels.length} labels, and the file has ${about.labels.length}.`,
    );
  const { labels, notes } = distinct(given);
  const { image, input } = picturesFor(graph, flags, path);
  const activation = activationOf(flags.scores);
  const head = await detectionHeadOf(graph, [input], { labels, head: flags.head, activation });
  if (head.detection.head !== "detr")
    notes.push(
      "Boxes need a score above 0.25, as in ultralytics' predictor: threshold of detection in its model.json changes it, and a request may say another one.",
    );
  return {
    graph,
    assets: [],
    notes,
    manifest: { task: OBJECT_DETECTION, inputs: [input], image, labels, ...head },
  };
}

function activationOf(scores: ScoresFlag | undefined): Activation | undefined {
  if (scores === undefined || scores === "softmax" || scores === "sigmoid") return scores;
  throw new Error(`With ${OBJECT_DETECTION}, --scores is softmax or sigmoid.`);
}

/** Ultralytics resizes by OpenCV, and fills the rest with this grey. */
const LETTERBOX = [114];

function picturesFor(graph: Graph, { image, ...flags }: DetectionFlags, path: string) {
  const about = ultralyticsOf(graph);
  if (about && !image) {
    const letterbox = { pad: LETTERBOX, resample: "opencv" as const };
    return picturesOf(graph, { ...flags, ...letterbox, image: about.size });
  }
  if (!image)
    throw new Error(
      `${path} does not say how large its pictures are: say it with --image 640x640.`,
    );
  if (!flags.pad && !flags.resize)
    throw new Error(
      `Say how a picture becomes ${image.width} × ${image.height}: --pad 114 --resample opencv keeps its ratio and fills the rest with grey, as YOLO is trained, and --resize ${image.width}x${image.height} does not keep it.`,
    );
  return picturesOf(graph, { ...flags, image });
}
