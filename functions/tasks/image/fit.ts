import type { ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";
import { resize } from "./resize.ts";

/**
 * Brings an image to the manifest's size, as Hugging Face's image processors do. Without `resize`, it resizes the image
 * to that size. With `resize`, it resizes the image to that first and then cuts out the centre. Drops fractions of a
 * pixel.
 */
export function fit(image: Pixels, options: ImageOptions): Pixels {
  const { width, height, resize: to, crop } = options;
  if (!to) return resize(image, width, height, options);
  const full = "shortestEdge" in to ? atShortestEdge(image, to.shortestEdge) : to;
  const left = half(full.width - width, crop);
  const top = half(full.height - height, crop);
  return resize(image, full.width, full.height, options, { left, top, width, height });
}

/** Throws an Error when the centre would be larger than the resized image, or torchvision lacks the filter. */
export function checkFit({ width, height, resize: to, arithmetic, resample }: ImageOptions): void {
  if (arithmetic === "torchvision" && resample !== "bilinear" && resample !== "bicubic")
    throw new Error("image.arithmetic torchvision needs the resample bilinear or bicubic");
  if (!to) return;
  const [narrowest, lowest] =
    "shortestEdge" in to ? [to.shortestEdge, to.shortestEdge] : [to.width, to.height];
  if (narrowest < width || lowest < height)
    throw new Error("image.resize must not be smaller than image.width and image.height");
}

function half(pixels: number, crop: ImageOptions["crop"]): number {
  const down = Math.floor(pixels / 2);
  return crop === "even" && pixels % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}

function atShortestEdge({ width, height }: Pixels, edge: number) {
  return width <= height
    ? { width: edge, height: Math.floor((edge * height) / width) }
    : { width: Math.floor((edge * width) / height), height: edge };
}
