import { elementCount, type Tensor } from "../../tensor.ts";
import type { InputInfo } from "../../model/manifest.ts";
import type { Parts, Run, TaskVersion } from "../define.ts";
import { mostPixels } from "./fit.ts";
import { imageInputs } from "./inputs.ts";
import type { ImageOptions, imageOptions } from "./options.ts";

/**
 * Turns pictures into the graph's inputs, the second of which may be DETR's mask. `alone` is as {@link imageInputs} has it.
 * Throws an Error when the manifest's inputs cannot hold them.
 */
export async function maskedImageInputs(
  version: TaskVersion<typeof imageOptions>,
  options: { alone?: boolean } = {},
): ReturnType<typeof imageInputs> {
  const { manifest } = version;
  const { image } = manifest;
  const [pictures, mask, ...others] = manifest.inputs.toSorted(
    (one, other) => other.shape.length - one.shape.length,
  );
  if (!pictures || others.length > 0) throw new Error(`task ${manifest.task} has too many inputs`);
  const own = { ...version, manifest: { ...manifest, inputs: [pictures] } };
  const beside = mask ? maskNumbers(mask, image) : 0;
  const inputs = await imageInputs(own, { ...options, beside });
  if (!mask) return inputs;
  const maskOf = maskFor(mask, image);
  return {
    ...inputs,
    *preprocess(rows, preprocessing): Parts<Run[]> {
      const runs = yield* inputs.preprocess(rows, preprocessing) as Parts<Run[]>;
      const all: Run[] = [];
      for (const run of runs) {
        yield;
        all.push({ ...run, feeds: { ...run.feeds, ...maskOf(run) } });
      }
      return all;
    },
  };
}

/**
 * DETR's second input says which pixels are of the picture. All are: none is padded to the size of another one. An export
 * may have a size of its own for it, which the network brings to that of its features.
 */
function maskFor(
  { name, datatype, shape }: InputInfo,
  { layout }: ImageOptions,
): (run: Run) => Record<string, Tensor> {
  const [, rows = -1, columns = -1] = shape;
  if (datatype !== "INT64" || shape.length !== 3)
    throw new Error(`the input ${name} must be a mask of pixels: INT64 [-1, height, width]`);
  return ({ feeds, rows: count }) => {
    const [pixels] = Object.values(feeds);
    const [height = 1, width = 1] = pixels?.shape.slice(layout === "NCHW" ? 2 : 1) ?? [];
    const size = [count, rows === -1 ? height : rows, columns === -1 ? width : columns];
    const data = new BigInt64Array(elementCount(size)).fill(1n);
    return { [name]: { datatype: "INT64", shape: size, data } };
  };
}

/** The most that the mask of a picture takes, in numbers of 32 bits. It has 64 bits a pixel. */
function maskNumbers(
  { shape: [, rows = -1, columns = -1] }: InputInfo,
  image: ImageOptions,
): number {
  if (rows === -1 && columns === -1) return 2 * mostPixels(image);
  return 2 * (rows === -1 ? image.height : rows) * (columns === -1 ? image.width : columns);
}
