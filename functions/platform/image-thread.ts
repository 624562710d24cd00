// A thread of the server that decodes large images, one after the other.
import { parentPort, workerData } from "node:worker_threads";
import { loadImageDecoder } from "../tasks/image/decode.ts";
import type { ImageWork } from "../tasks/image/elsewhere.ts";
import { fit } from "../tasks/image/fit.ts";
import { convertColor } from "../tasks/image/pixels.ts";
import type { ImageAnswer, ImageDecoders } from "./start-image-thread.ts";

const modules = workerData as ImageDecoders;
const openImage = await loadImageDecoder((format) => Promise.resolve(modules[format]));

parentPort?.on("message", ({ file, image }: ImageWork) => {
  parentPort?.postMessage(answer({ file, image }));
});

/** Any other error than that of a damaged image ends the thread. */
function answer({ file, image }: ImageWork): ImageAnswer {
  try {
    const decoded = openImage(file).decode(image.orientation);
    return { pixels: fit(convertColor(decoded, image.color), image) };
  } catch (error) {
    if (error instanceof RangeError) return { problem: error.message };
    throw error;
  }
}
