import { invalidInput, type InputIssue } from "../../errors.ts";
import { giveBack } from "../../give-back.ts";
import { elementCount } from "../../tensor.ts";
import { bytesOrBase64 } from "../../wire/base64.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import type { CompiledTask, Parts, PreprocessOptions, Run, TaskVersion } from "../define.ts";
import { elsewhere } from "../elsewhere.ts";
import { loadImageDecoder, type OpenedImage } from "./decode.ts";
import { checkFit, fit, inputSizeOf, mostPixels, placementOf, type Size } from "./fit.ts";
import {
  channelsOf,
  hasOwnSize,
  leastWidthOf,
  type imageOptions,
  type ImageOptions,
} from "./options.ts";
import { createPixelBudget } from "./pixel-budget.ts";
import { convertColor, fillPixels, levelsOf, type Pixels } from "./pixels.ts";
import { imageQuantities, type ImageContext } from "./quantities.ts";

/** The most numbers that one run takes or gives: six pictures of 224 × 224 pixels in three colours. */
const MAX_NUMBERS_PER_RUN = 1_000_000;

/** An image of more pixels takes milliseconds. It gets a pause between decoding, resizing and reading its levels. */
const MANY_PIXELS = 250_000;

/** So much work may keep others waiting: some 25 ms. More is done elsewhere, where that can be. */
const MOST_PIXELS_HERE = 500_000;

interface ImageInputsOptions {
  /** How many numbers of 32 bits the task adds to each picture. */
  beside?: number;
  /** How many numbers the graph gives for each picture. 0 where they are few. */
  made?: number;
  /** Whether each picture has a run of its own: where outputs are as large as pictures. */
  alone?: boolean;
}

/**
 * The part that all tasks with images share: turns pictures into the graph's only input. Throws an Error when the manifest's
 * input cannot hold them.
 */
export async function imageInputs(
  { manifest, limits, loadDecoder, decodeElsewhere }: TaskVersion<typeof imageOptions>,
  { beside = 0, made = 0, alone = false }: ImageInputsOptions = {},
): Promise<Pick<CompiledTask, "preprocess"> & Required<Pick<CompiledTask, "quantities">>> {
  const { image, inputs } = manifest;
  const channels = channelsOf(image);
  const isOwn = hasOwnSize(image);
  const shapeOf = ({ width, height }: Size) =>
    image.layout === "NCHW" ? [channels, height, width] : [height, width, channels];
  const size = shapeOf(image);
  const leastWidth = leastWidthOf(image.resize);
  const free = { width: -1, height: leastWidth === undefined ? -1 : image.height };
  const wanted = isOwn ? shapeOf(free) : size;
  const input = inputs[0];
  if (
    !input ||
    inputs.length > 1 ||
    input.datatype !== "FP32" ||
    String(input.shape.slice(1)) !== String(wanted)
  )
    throw new Error(
      `task ${manifest.task} needs one FP32 input of shape [-1, ${wanted.join(", ")}]`,
    );
  if (image.mean.length !== channels || image.std.length !== channels)
    throw new Error(`image.mean and image.std need ${channels} values`);
  checkFit(image);
  const { name } = input;
  const levels = levelsOf(image);
  const fill = image.resize && "fill" in image.resize ? image.resize.fill : 0;
  const width = mostPixels(image) * channels;
  // Lines of text have widths that differ much: what they need is summed as they are looked at.
  const most =
    leastWidth === undefined ? Math.max(1, Math.floor(MAX_NUMBERS / (width + beside))) : Infinity;
  const step = alone ? 1 : Math.max(1, Math.floor(MAX_NUMBERS_PER_RUN / Math.max(width, made)));
  const openImage = await loadImageDecoder(loadDecoder);

  function unfilled(count: number): Float32Array {
    const numbers = new Float32Array(count);
    return fill === 0 ? numbers : numbers.fill(fill);
  }

  function runOf(shape: readonly number[], data: Float32Array, context: ImageContext): Run {
    const rows = context.length;
    const pixels = { datatype: "FP32" as const, shape: [rows, ...shape], data };
    return { feeds: { [name]: pixels }, rows, context };
  }

  return {
    quantities: imageQuantities(name),
    *preprocess(
      rows: readonly unknown[],
      { pathOf, sentBytes }: PreprocessOptions<unknown>,
    ): Parts<Run[]> {
      const issues: InputIssue[] = [];
      if (rows.length > most)
        throw invalidInput([
          {
            path: "inputs",
            message: `must have at most ${most} images of ${isOwn ? "up to" : "the"} ${size.join(" × ")} numbers that the model takes, has ${rows.length}`,
          },
        ]);
      const data = unfilled(isOwn ? 0 : rows.length * width);
      const runs: Run[] = [];
      // One budget for the whole request: many images cost as much as a large one.
      const budget = createPixelBudget({ maxPixels: limits.imagePixels, sentBytes });
      let [used, numbers] = [0, 0];
      const sizes: Size[] = [];
      for (const [index, row] of rows.entries()) {
        if (index > 0) yield;
        try {
          const file = bytesOrBase64(row, "an image");
          const opened = openImage(file);
          budget.take(opened);
          const own = opened.sizeOf(image.orientation);
          sizes.push(own);
          used += opened.width * opened.height;
          const target = inputSizeOf(placementOf(own, image), image);
          const pixels = target.width * target.height;
          numbers += pixels * channels;
          if (numbers > MAX_NUMBERS) throw tooMany(numbers);
          const sized =
            decodeElsewhere && effortOf(opened) + pixels > MOST_PIXELS_HERE
              ? yield* elsewhere(() => decodeElsewhere({ file, image }))
              : yield* decodeHere(opened, image);
          if (pixels > MANY_PIXELS) yield;
          if (isOwn) {
            const shape = shapeOf(target);
            const alone = unfilled(elementCount(shape));
            fillPixels(sized, levels, image.layout, alone, 0, target.width);
            runs.push(runOf(shape, alone, [own]));
          } else fillPixels(sized, levels, image.layout, data, index * width, target.width);
          giveBack(sized.data);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          issues.push({ path: pathOf(index), message: error.message });
        }
      }
      if (issues.length > 0) throw invalidInput(issues);
      const together = isOwn ? 0 : rows.length;
      for (let from = 0; from < together; from += step) {
        const count = Math.min(step, together - from);
        const numbers = data.subarray(from * width, (from + count) * width);
        runs.push(runOf(size, numbers, sizes.slice(from, from + count)));
      }
      // The count is for the whole request.
      const [first] = runs;
      if (first) first.pixels = used;
      return runs;
    },
  };
}

function tooMany(numbers: number) {
  return invalidInput([
    {
      path: "inputs",
      message: `need ${numbers} numbers or more, as the model takes them; a request may need ${MAX_NUMBERS}: send fewer images at once`,
    },
  ]);
}

/** Pixels, by how long their kind takes. */
function effortOf({ width, height, effort }: OpenedImage): number {
  return width * height * effort;
}

function* decodeHere(opened: OpenedImage, image: ImageOptions): Parts<Pixels> {
  const decoded = opened.decode(image.orientation);
  if (decoded.width * decoded.height > MANY_PIXELS) yield;
  return fit(convertColor(decoded, image.color), image);
}
