import type { ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";
import { resize } from "./resize.ts";

/**
 * Brings an image to the manifest's size as Hugging Face's image processors do: resizes it, or with `resize`
 * resizes it to that first and then cuts out the centre. Drops fractions of a pixel.
 */
export function fit(image: Pixels, { width, height, resize: to, resample }: ImageOptions): Pixels {
  if (!to) return resize(image, width, height, resample);
  const full = "shortestEdge" in to ? atShortestEdge(image, to.shortestEdge) : to;
  const left = Math.floor((full.width - width) / 2);
  const top = Math.floor((full.height - height) / 2);
  return resize(image, full.width, full.height, resample, { left, top, width, height });
}

/** Throws an Error when the centre would be larger than the resized image. */
export function checkFit({ width, height, resize: to }: ImageOptions): void {
  if (!to) return;
  const [narrowest, lowest] =
    "shortestEdge" in to ? [to.shortestEdge, to.shortestEdge] : [to.width, to.height];
  if (narrowest < width || lowest < height)
    throw new Error("image.resize must not be smaller than image.width and image.height");
}

function atShortestEdge({ width, height }: Pixels, edge: number) {
  return width <= height
    ? { width: edge, height: Math.floor((edge * height) / width) }
    : { width: Math.floor((edge * width) / height), height: edge };
}
