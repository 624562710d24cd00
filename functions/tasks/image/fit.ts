import { channelsOf, type ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";
import { resize } from "./resize.ts";

/**
 * Brings an image to the manifest's size, as Hugging Face's image processors do. Without `resize`, it resizes the image
 * to that size. With `resize`, it resizes the image to that first and then cuts out the centre, or pads it. Drops
 * fractions of a pixel.
 */
export function fit(image: Pixels, options: ImageOptions): Pixels {
  const { width, height, resize: to, crop } = options;
  if (!to) return resize(image, width, height, options);
  if ("pad" in to) return padded(image, to.pad, options);
  const full = "shortestEdge" in to ? atShortestEdge(image, to.shortestEdge) : to;
  const left = half(full.width - width, crop);
  const top = half(full.height - height, crop);
  return resize(image, full.width, full.height, options, { left, top, width, height });
}

/**
 * Throws an Error when the centre would be larger than the resized image, the colour around it does not have its
 * channels, or torchvision lacks the filter.
 */
export function checkFit(options: ImageOptions): void {
  const { width, height, resize: to, arithmetic, resample } = options;
  if (arithmetic === "torchvision" && resample !== "bilinear" && resample !== "bicubic")
    throw new Error("image.arithmetic torchvision needs the resample bilinear or bicubic");
  if (!to) return;
  if ("pad" in to) {
    if (to.pad.length !== channelsOf(options))
      throw new Error(`image.resize.pad needs ${channelsOf(options)} values`);
    return;
  }
  const [narrowest, lowest] =
    "shortestEdge" in to ? [to.shortestEdge, to.shortestEdge] : [to.width, to.height];
  if (narrowest < width || lowest < height)
    throw new Error("image.resize must not be smaller than image.width and image.height");
}

/** The whole image in the middle, with its ratio, as Pillow's `ImageOps.pad`. */
function padded(image: Pixels, colour: readonly number[], options: ImageOptions): Pixels {
  const { width, height } = options;
  const inner = contained(image, options);
  const resized = resize(image, inner.width, inner.height, options);
  if (inner.width === width && inner.height === height) return resized;
  const { channels, data } = resized;
  const all = new Uint8Array(width * height * channels);
  for (let at = 0; at < all.length; at++) all[at] = colour[at % channels] ?? 0;
  const left = roundEven((width - inner.width) / 2);
  const top = roundEven((height - inner.height) / 2);
  const line = inner.width * channels;
  for (let row = 0; row < inner.height; row++)
    all.set(data.subarray(row * line, (row + 1) * line), ((top + row) * width + left) * channels);
  return { width, height, channels, data: all };
}

/** The largest size with the image's ratio that fits. */
function contained(image: Pixels, { width, height }: ImageOptions) {
  const ratio = image.width / image.height;
  if (ratio > width / height)
    return { width, height: Math.max(1, roundEven((image.height / image.width) * width)) };
  return { width: Math.max(1, roundEven(ratio * height)), height };
}

/** Rounds as Python does: a half to the even number. */
function roundEven(value: number): number {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
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
