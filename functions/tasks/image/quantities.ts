import type { Quantity } from "../define.ts";
import type { Size } from "./fit.ts";

/** The sizes of a run's images, before they are fitted to the model. */
export type ImageContext = readonly Size[];

/** So many numbers of an image are enough for its brightness. */
const MOST_NUMBERS = 1024;

/** How bright images are (the mean of the numbers that the graph gets), and how many pixels they had. */
export function imageQuantities(input: string): Quantity[] {
  return [
    {
      name: "brightness",
      of: "input",
      kind: "number",
      each({ runs }, take) {
        for (const { feeds } of runs) {
          const { data, shape: [count = 0] = [] } = feeds[input] ?? {};
          const width = (data?.length ?? 0) / count;
          for (let at = 0; at < count; at++)
            take(meanOf(data as Float32Array, at * width, (at + 1) * width));
        }
      },
    },
    {
      name: "image_pixels",
      of: "input",
      kind: "number",
      each({ runs }, take) {
        for (const { context } of runs)
          for (const { width, height } of (context as ImageContext | undefined) ?? [])
            take(width * height);
      },
    },
  ];
}

function meanOf(data: Float32Array, from: number, to: number): number {
  // An odd step goes over all columns and colours.
  const step = Math.max(1, Math.floor((to - from) / MOST_NUMBERS)) | 1;
  let sum = 0;
  let count = 0;
  for (let at = from; at < to; at += step, count++) sum += data[at] ?? 0;
  return sum / count;
}
