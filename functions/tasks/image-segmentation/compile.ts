import { invalidInput } from "../../errors.ts";
import { checkAnswerBytes } from "../../wire/answer-size.ts";
import type { CompiledTask, Parts, Quantity, Run, Seen, TaskVersion } from "../define.ts";
import { inputSizeOf, placementOf, type Size } from "../image/fit.ts";
import type { ImageOptions } from "../image/options.ts";
import { maskedImageInputs } from "../image/pixel-mask.ts";
import type { Divided, Head, SegmentationManifest } from "./head.ts";
import { labelHead } from "./label-head.ts";
import { bytesOfMasks, writeMasks } from "./masks.ts";
import {
  THRESHOLD,
  type imageSegmentationOptions,
  type ImageSegmentationParameters,
} from "./options.ts";
import { queryHead } from "./query-head.ts";
import { LONGEST_EDGE, type SegmentAnswer } from "./segments.ts";

type Options = typeof imageSegmentationOptions;

/** A picture of a request, and what all its pictures took so far: numbers of their grids, and bytes of JSON. */
interface Picture extends Size {
  spent: { numbers: number; bytes: number };
  /** Whether it is divided as where a request does not say how. */
  isUsual: boolean;
}

/**
 * The most numbers of all pictures of a request, once those of labels or queries are resized to them: some seconds of work.
 * They are never in memory together. As many may be made in the size that graphs give them, before they are resized.
 */
const MOST_RESIZED = 640_000_000;

export async function compile(
  version: TaskVersion<Options>,
): Promise<CompiledTask<ImageSegmentationParameters>> {
  const { manifest, limits } = version;
  const { image, labels, task } = manifest;
  const least = manifest.segmentation.classes === undefined ? 2 : 1;
  if (!labels || labels.length < least)
    throw new Error(`task ${task} needs labels, two or more where each pixel gets one`);
  if (cuts(image))
    throw new Error(
      `task ${task} needs whole pictures: image.resize must not cut the centre out, since the rest would have no labels`,
    );
  const head = headOf({ ...manifest, labels });
  const inputs = await maskedImageInputs(version, { alone: true });

  return {
    readsContext: true,
    outputNames: head.outputNames,
    quantities: [...inputs.quantities, ...segmentQuantities(labels)],
    *preprocess(rows, options): Parts<Run[]> {
      checkSubtask(head, options.parameters);
      const runs = yield* inputs.preprocess(rows, options) as Parts<Run[]>;
      checkPictures(runs, head, options.parameters);
      const spent = { numbers: 0, bytes: 0 };
      const { subtask = head.subtasks[0] } = options.parameters;
      const isUsual = subtask === head.subtasks[0];
      return runs.map((run) => ({
        ...run,
        context: (run.context as Size[]).map((size): Picture => ({ ...size, spent, isUsual })),
      }));
    },
    *postprocess(outputs, { rows, context }, parameters) {
      const read = head.open(outputs, rows);
      const divided: Divided[] = [];
      for (const [row, { spent, width, height }] of (context as Picture[]).entries()) {
        if (row > 0) yield;
        const picture = { width, height };
        // Only now are all sizes known.
        spent.numbers += head.gridWork(picture, parameters, outputs);
        checkNumbers(spent.numbers);
        const place = placementOf(picture, image);
        const where = { place, frame: inputSizeOf(place, image) };
        divided.push(yield* read(row, picture, where, parameters));
      }
      return divided;
    },
    *write(made, { context }, { encoding }) {
      const answers: SegmentAnswer[][] = [];
      for (const [row, { map, segments }] of (made as readonly Divided[]).entries()) {
        const { spent } = (context as Picture[])[row]!;
        const answer = yield* writeMasks(map, segments, {
          encoding,
          expect: (bytes) =>
            checkAnswerBytes(spent.bytes + bytes, limits.answerBytes, shorter(encoding)),
        });
        spent.bytes += bytesOfMasks(answer);
        answers.push(answer);
      }
      return answers;
    },
    unwrittenBytes: ({ context }) =>
      (context as Picture[]).reduce((sum, { width, height }) => sum + width * height, 0) *
      Uint16Array.BYTES_PER_ELEMENT,
    madeBytes: (answers) =>
      (answers as readonly SegmentAnswer[][]).reduce((sum, own) => sum + bytesOfMasks(own), 0),
  };
}

function headOf(manifest: SegmentationManifest): Head {
  const { classes, scaled, instances } = manifest.segmentation;
  if (classes !== undefined && instances) return queryHead(manifest, classes);
  if (classes !== undefined || scaled || instances)
    throw new Error(
      "segmentation.classes and segmentation.instances go together, and segmentation.scaled with both",
    );
  return labelHead(manifest);
}

function checkSubtask({ subtasks }: Head, { subtask }: ImageSegmentationParameters): void {
  if (subtask === undefined || subtasks.includes(subtask)) return;
  throw invalidInput([
    { path: "parameters.subtask", message: `must be ${subtasks.join(" or ")} for this model` },
  ]);
}

/** Whether parts of pictures are cut off before the graph sees them. */
function cuts({ width, height, resize }: ImageOptions): boolean {
  if (!resize || "pad" in resize || "longestEdge" in resize || "fill" in resize) return false;
  return !("width" in resize) || resize.width > width || resize.height > height;
}

/** Throws `invalid_input` for pictures whose masks would take too long, or too much memory. */
function checkPictures(
  runs: readonly Run[],
  head: Head,
  parameters: ImageSegmentationParameters,
): void {
  const { depth } = head;
  const sizes = runs.flatMap(({ context }) => context as Size[]);
  const long = sizes.find(({ width, height }) => Math.max(width, height) > LONGEST_EDGE);
  if (long)
    throw invalidInput([
      {
        path: "inputs",
        message: `have a picture of ${long.width} × ${long.height} pixels; an edge may have ${LONGEST_EDGE}`,
      },
    ]);
  const pixels = sizes.reduce((sum, { width, height }) => sum + width * height, 0);
  const most = Math.floor(MOST_RESIZED / depth);
  if (pixels > most)
    throw invalidInput([
      {
        path: "inputs",
        message: `have ${pixels} pixels; with ${depth} labels or masks for each, a request may have ${most}: make the pictures smaller`,
      },
    ]);
  checkNumbers(sizes.reduce((sum, size) => sum + head.gridWork(size, parameters), 0));
}

function shorter(encoding: ImageSegmentationParameters["encoding"]): string {
  const fewer = "Send fewer pictures at once, or smaller ones";
  return encoding === "png" ? `${fewer}, or ask for the encoding rle.` : `${fewer}.`;
}

function checkNumbers(numbers: number): void {
  if (numbers > MOST_RESIZED)
    throw invalidInput([
      {
        path: "inputs",
        message: `need about ${Math.round(numbers)} numbers for their masks; a request may need ${MOST_RESIZED}: send fewer pictures at once, or ask for another subtask`,
      },
    ]);
}

/**
 * How many segments a picture has, and of which labels. Those that only a caller's lower threshold gives do not count, nor
 * does another subtask than the baseline has, which divides pictures otherwise. A picture has several labels, and none of
 * them is its outcome.
 */
function segmentQuantities(labels: readonly string[]): Quantity[] {
  return [
    {
      name: "prediction.segments",
      of: "prediction",
      kind: "number",
      each(seen, take) {
        for (const segments of countedOf(seen)) take(segments.length);
      },
    },
    {
      name: "prediction.labels",
      of: "prediction",
      kind: "category",
      categories: labels,
      each(seen, take) {
        for (const segments of countedOf(seen)) for (const { label } of segments) take(label);
      },
    },
  ];
}

function countedOf({ runs, answers = [] }: Seen): SegmentAnswer[][] {
  const pictures = runs.flatMap(({ context }) => (context ?? []) as Picture[]);
  if (pictures.some(({ isUsual }) => !isUsual)) return [];
  return (answers as readonly SegmentAnswer[][]).map((answer) =>
    answer.filter(({ score = 1 }) => score > THRESHOLD),
  );
}
