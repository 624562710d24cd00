import { InvalidArgumentError, Option, type Command } from "commander";
import { readGraph, type Graph, type TensorInfo } from "../../functions/platform/onnx/graph.ts";
import {
  RESAMPLES,
  type ImageOptions,
  type ImageSettings,
} from "../../functions/tasks/image/options.ts";
import { commas, numberOf } from "../options.ts";
import { classifierOf } from "./classifier.ts";
import type { Draft } from "./from-file.ts";
import { only } from "./only.ts";
import { imagePooling, imageVectorsOf, type PoolingFlag } from "./image-vectors.ts";
import type { ScoresFlag } from "./score-meaning.ts";
import { withTrueShapes } from "./true-shapes.ts";

interface Size {
  width: number;
  height: number;
}

/** What the trainer did to a picture before it became the model's input. */
export interface ImageFlags {
  image?: Size;
  resize?: Size | { shortestEdge: number };
  pad?: number[];
  resample?: ImageOptions["resample"] | "opencv";
  fill?: number;
  leastWidth?: number;
  bgr?: true;
  invert?: true;
  scale?: number;
  mean?: number[];
  std?: number[];
}

/** `--image 224x224` and what goes with it, for an image classifier from anywhere. */
export function withImageOptions(command: Command): Command {
  return command
    .option("--image <size>", "the file takes pictures of this width × height: 224x224", size)
    .option(
      "--resize <size>",
      "a picture's size before its centre is cut out: 256 for the shorter edge, or 256x256",
      (text) => (text.includes("x") ? size(text) : { shortestEdge: side(text) }),
    )
    .option(
      "--pad <color>",
      "keep the picture's ratio, and fill the rest with this colour: 114,114,114",
      numbers,
    )
    .option(
      "--fill <number>",
      "keep the ratio of a line of text, and fill the rest at its right with this number, as the graph gets it: 0",
      fraction,
    )
    .option(
      "--least-width <pixels>",
      "where the graph takes any width: keep the ratio, and fill a line up to this width (with --fill, or 0)",
      side,
    )
    .addOption(
      new Option(
        "--resample <filter>",
        "how it is resized: a filter of Pillow, or opencv for its INTER_LINEAR (default: bilinear)",
      ).choices([...RESAMPLES, "opencv"]),
    )
    .option("--bgr", "the channels are blue, green, red, as OpenCV reads them")
    .option("--invert", "pictures are turned into their negatives first")
    .option("--scale <number>", "what each level from 0 to 255 is times (default: 1/255)", fraction)
    .option("--mean <numbers>", "then subtracted, a number for each channel", numbers)
    .option("--std <numbers>", "then divided by, a number for each channel", numbers);
}

const BESIDE_IMAGE = [
  "resize",
  "pad",
  "fill",
  "leastWidth",
  "resample",
  "bgr",
  "invert",
  "scale",
  "mean",
  "std",
] as const;

/** The flag that needs `--image` and has none. */
export function strayImageFlag(flags: ImageFlags): string | undefined {
  const stray = flags.image ? undefined : BESIDE_IMAGE.find((name) => flags[name] !== undefined);
  return stray && `--${stray.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The tasks of a file that `--image` is for. The first where no `--task` says it. */
export const IMAGE_TASKS = ["image-classification", "image-feature-extraction"] as const;
type ImageTask = (typeof IMAGE_TASKS)[number];

export function isImageTask(task: string): task is ImageTask {
  return IMAGE_TASKS.some((one) => one === task);
}

interface Given extends ImageFlags {
  image: Size;
  task?: string | undefined;
  pooling?: PoolingFlag | undefined;
  labels?: readonly string[] | undefined;
  scores?: ScoresFlag | undefined;
}

/** A model file that classifies pictures, or makes vectors of them. Throws an Error where the flags do not fit its graph. */
export async function draftForImage(path: string, given: Given): Promise<Draft> {
  const graph = await readGraph(path);
  const { image, input } = picturesOf(graph, given);
  const task = IMAGE_TASKS.find((one) => one === given.task) ?? IMAGE_TASKS[0];
  const manifest = { task, inputs: [input], image };
  if (task === "image-feature-extraction") {
    if (given.labels || given.scores)
      throw new Error(`--labels and --scores go with a classifier, and not with ${task}.`);
    const { graph: read } = await withTrueShapes(graph, [input]);
    const vectors = imageVectorsOf(read.outputs, imagePooling(given.pooling));
    return { graph: read, assets: [], manifest: { ...manifest, ...vectors } };
  }
  if (given.pooling) throw new Error("--pooling goes with --task image-feature-extraction.");
  const { graph: read, classifier } = await classifierOf(graph, { ...given, inputs: [input] });
  return { graph: read, assets: [], manifest: { ...manifest, ...classifier } };
}

/** How pictures become the graph's input, by the flags. Throws an Error where the two do not fit. */
export function picturesOf(
  graph: Graph,
  given: ImageFlags & { image: Size },
): { image: ImageSettings; input: TensorInfo } {
  const isLine = given.fill !== undefined || given.leastWidth !== undefined;
  if ([given.resize, given.pad, isLine].filter(Boolean).length > 1)
    throw new Error(
      "--pad and --fill (or --least-width) keep the whole picture, and --resize cuts: use one of them.",
    );
  const found = only(
    graph.inputs.filter(({ datatype, shape }) => datatype === "FP32" && shape.length === 4),
    "one FP32 input of four dimensions, with pictures",
    graph.inputs,
  );
  if (graph.inputs.length > 1)
    throw new Error(
      `The graph has ${graph.inputs.length} inputs, and --image is for a model of pictures alone. Add it as a tensor model, without --image.`,
    );
  const layout = layoutOf(found);
  const image = settingsOf(given, found.shape[layout === "NCHW" ? 1 : 3] ?? 0, layout);
  return { image, input: { ...found, shape: shapeOf(found, layout, given.image) } };
}

function layoutOf({ name, shape }: TensorInfo): ImageOptions["layout"] {
  const [, second = 0, , fourth = 0] = shape;
  const isFirst = second === 1 || second === 3;
  const isLast = fourth === 1 || fourth === 3;
  if (isFirst !== isLast) return isFirst ? "NCHW" : "NHWC";
  throw new Error(
    `${name} is [${shape.join(", ")}], which does not show where the channels are: one dimension must be 3, or 1 for grey. Export the model with them.`,
  );
}

function shapeOf({ name, shape }: TensorInfo, layout: ImageOptions["layout"], size: Size) {
  const wanted =
    layout === "NCHW"
      ? [shape[0] ?? -1, shape[1] ?? -1, size.height, size.width]
      : [shape[0] ?? -1, size.height, size.width, shape[3] ?? -1];
  if (shape.some((one, axis) => one >= 0 && one !== wanted[axis]))
    throw new Error(
      `${name} is [${shape.join(", ")}], which holds no pictures of ${size.width} × ${size.height} (width × height).`,
    );
  return wanted;
}

function settingsOf(
  given: ImageFlags & { image: Size },
  channels: number,
  layout: ImageOptions["layout"],
): ImageSettings {
  if (given.bgr && channels === 1)
    throw new Error("--bgr is for three channels, and the graph has one.");
  const { resample = "bilinear", scale = 1 / 255 } = given;
  const target = resizeOf(given, channels);
  const mean = perChannel("--mean", given.mean ?? [0], channels);
  const std = perChannel("--std", given.std ?? [1], channels);
  return {
    ...given.image,
    ...(target && { resize: target }),
    color: channels === 1 ? "grayscale" : given.bgr ? "bgr" : "rgb",
    layout,
    ...(resample === "opencv"
      ? { resample: "bilinear" as const, arithmetic: "opencv" as const }
      : { resample }),
    orientation: "exif",
    scale,
    // (255 − level) × scale, and then the rest.
    mean: given.invert ? mean.map((one) => 255 * scale - one) : mean,
    std: given.invert ? std.map((one) => 0 - one) : std,
  };
}

function resizeOf(
  { resize, pad, fill, leastWidth }: ImageFlags,
  channels: number,
): ImageSettings["resize"] {
  if (pad) return { pad: perChannel("--pad", pad, channels) };
  if (fill === undefined && leastWidth === undefined) return resize;
  return { fill: fill ?? 0, ...(leastWidth !== undefined && { leastWidth }) };
}

/** One number stands for all channels. */
function perChannel(flag: string, values: readonly number[], channels: number): number[] {
  if (values.length === channels) return [...values];
  const [one] = values;
  if (values.length !== 1 || one === undefined)
    throw new Error(
      `${flag} has ${values.length} numbers, and the graph has ${channels} channels.`,
    );
  return Array.from({ length: channels }, () => one);
}

function size(text: string): Size {
  const [width, height, more] = text.split("x");
  if (height === undefined || more !== undefined)
    throw new InvalidArgumentError("It is no width × height, such as 224x224.");
  return { width: side(width), height: side(height) };
}

function side(text = ""): number {
  const value = numberOf(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It is no number of pixels.");
  return value;
}

function numbers(text: string): number[] {
  return commas(text).map(fraction);
}

/** A number, or a fraction such as 1/255. */
function fraction(text: string): number {
  const [above = "", below, more] = text.split("/");
  const value = below === undefined ? numberOf(above) : numberOf(above) / numberOf(below);
  if (more !== undefined || !Number.isFinite(value))
    throw new InvalidArgumentError("It is not a number.");
  return value;
}
