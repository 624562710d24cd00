import { fileURLToPath } from "node:url";
import { createFileDecoders } from "../../functions/platform/file-decoders.ts";
import { loadImageDecoder } from "../../functions/tasks/image/decode.ts";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";
import { createPixelBudget } from "../../functions/tasks/image/pixel-budget.ts";
import type { Pixels } from "../../functions/tasks/image/pixels.ts";

const openImage = await loadImageDecoder(
  createFileDecoders((name) => fileURLToPath(import.meta.resolve(name))),
);

/** Decodes the only image of a request. Throws a RangeError as the task of images does. */
export function decodeImage(
  file: Uint8Array,
  { maxPixels, orientation }: { maxPixels: number; orientation: ImageOptions["orientation"] },
): Pixels {
  const opened = openImage(file);
  createPixelBudget({ maxPixels }).take(opened);
  return opened.decode(orientation);
}
