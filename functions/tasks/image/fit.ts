import { channelsOf, hasOwnSize, leastWidthOf, type ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";
import { resize } from "./resize.ts";
import { roundEven } from "./round-even.ts";

/** Width and height in pixels. */
export interface Size {
  width: number;
  height: number;
}

type Edges = Extract<NonNullable<ImageOptions["resize"]>, { longestEdge: number }>;

/** Where the whole image lies in the graph's input: its size there, and its first corner, below 0 where it is cut. */
export interface Placement extends Size {
  left: number;
  top: number;
}

/**
 * Brings an image to the manifest's size, as Hugging Face's image processors do. Without `resize`, it resizes the image
 * to that size. With `resize`, it resizes the image to that first and then cuts out the centre, pads it, or leaves it so.
 * A line of text comes without what fills the rest at its right.
 */
export function fit(image: Pixels, options: ImageOptions): Pixels {
  const place = placementOf(image, options);
  if (options.resize && "pad" in options.resize)
    return padded(image, place, options.resize.pad, options);
  if (options.resize && "fill" in options.resize)
    return resize(image, place.width, place.height, options);
  const { width, height } = inputSizeOf(place, options);
  const cut = { left: 0 - place.left, top: 0 - place.top, width, height };
  return resize(image, place.width, place.height, options, cut);
}

/** The size of the graph's input for an image that lies there. */
export function inputSizeOf({ width, height }: Size, options: ImageOptions): Size {
  if (!hasOwnSize(options)) return options;
  return { width: Math.max(width, leastWidthOf(options.resize) ?? 0), height };
}

/** The most pixels of the graph's input for one image. One that keeps its ratio is not as high as it is wide. */
export function mostPixels({ width, height, resize: to }: ImageOptions): number {
  if (!to || !("longestEdge" in to)) return width * height;
  return inMultiples(to.shortestEdge, to) * inMultiples(to.longestEdge, to);
}

/**
 * Where an image of this size will lie. Drops fractions of a pixel. Throws a RangeError for an image that is too narrow,
 * or too wide, to keep its ratio.
 */
export function placementOf(image: Size, options: ImageOptions): Placement {
  const { width, height, resize: to, crop } = options;
  if (!to) return { width, height, left: 0, top: 0 };
  if ("longestEdge" in to) {
    const cutsEdges = to.rounding === "up" && options.arithmetic === "pillow";
    const size = cutsEdges ? cutWithinEdges(image, to) : withinEdges(image, to);
    const [wide, high] = [inMultiples(size.width, to), inMultiples(size.height, to)];
    if (wide < 1 || high < 1)
      throw new RangeError(
        `is a picture of ${image.width} × ${image.height} pixels, too narrow to be at most ${to.longestEdge} long`,
      );
    return { width: wide, height: high, left: 0, top: 0 };
  }
  if ("fill" in to) return { width: widthOfLine(image, options), height, left: 0, top: 0 };
  if ("pad" in to) {
    const inner = contained(image, options);
    const middle = options.arithmetic === "opencv" ? Math.floor : roundEven;
    const left = middle((width - inner.width) / 2);
    return { ...inner, left, top: middle((height - inner.height) / 2) };
  }
  const full = "shortestEdge" in to ? atShortestEdge(image, to.shortestEdge) : to;
  const [left, top] = [half(full.width - width, crop), half(full.height - height, crop)];
  return { ...full, left: 0 - left, top: 0 - top };
}

/**
 * Throws an Error when the centre would be larger than the resized image, the colour around it does not have its
 * channels, or torchvision lacks the filter.
 */
export function checkFit(options: ImageOptions): void {
  const { width, height, resize: to, arithmetic, resample } = options;
  if (arithmetic === "torchvision" && resample !== "bilinear" && resample !== "bicubic")
    throw new Error("image.arithmetic torchvision needs the resample bilinear or bicubic");
  const cuts = to && !("pad" in to) && !("fill" in to);
  if (arithmetic === "opencv" && (resample !== "bilinear" || cuts))
    throw new Error(
      "image.arithmetic opencv needs the resample bilinear, and image.resize with pad or fill, or none",
    );
  if (!to) return;
  if ("fill" in to) {
    if (to.leastWidth !== undefined && to.leastWidth > width)
      throw new Error("image.resize.leastWidth must not be above image.width");
    return;
  }
  if ("pad" in to) {
    if (to.pad.length !== channelsOf(options))
      throw new Error(`image.resize.pad needs ${channelsOf(options)} values`);
    return;
  }
  if ("longestEdge" in to) {
    if (width !== to.longestEdge || height !== to.longestEdge || to.shortestEdge > to.longestEdge)
      throw new Error(
        "image.width and image.height must be image.resize.longestEdge, which must not be below shortestEdge",
      );
    // The shorter edge of each picture would be cut down to nothing.
    if (to.rounding !== "up" && (to.multipleOf ?? 1) > to.shortestEdge)
      throw new Error("image.resize.multipleOf must not be above image.resize.shortestEdge");
    return;
  }
  const [narrowest, lowest] =
    "shortestEdge" in to ? [to.shortestEdge, to.shortestEdge] : [to.width, to.height];
  if (narrowest < width || lowest < height)
    throw new Error("image.resize must not be smaller than image.width and image.height");
}

/** The whole image in the middle, with its ratio, as Pillow's `ImageOps.pad`. */
function padded(
  image: Pixels,
  inner: Placement,
  colour: readonly number[],
  options: ImageOptions,
): Pixels {
  const { width, height } = options;
  const resized = resize(image, inner.width, inner.height, options);
  if (inner.width === width && inner.height === height) return resized;
  const { channels, data } = resized;
  const all = new Uint8Array(width * height * channels);
  for (let at = 0; at < all.length; at++) all[at] = colour[at % channels] ?? 0;
  const line = inner.width * channels;
  for (let row = 0; row < inner.height; row++) {
    const start = ((inner.top + row) * width + inner.left) * channels;
    all.set(data.subarray(row * line, (row + 1) * line), start);
  }
  return { width, height, channels, data: all };
}

/** The largest size with the image's ratio that fits. */
function contained(image: Size, { width, height, arithmetic }: ImageOptions): Size {
  if (arithmetic === "opencv") {
    const scale = Math.min(height / image.height, width / image.width);
    return { width: least(image.width * scale), height: least(image.height * scale) };
  }
  const ratio = image.width / image.height;
  if (ratio > width / height) return { width, height: least((image.height / image.width) * width) };
  return { width: least(ratio * height), height };
}

function least(pixels: number): number {
  return Math.max(1, roundEven(pixels));
}

/** The shorter edge as long as it may be, as `get_size_with_aspect_ratio` of transformers has it. */
function withinEdges({ width, height }: Size, { shortestEdge, longestEdge }: Edges): Size {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const raw = (longestEdge * shorter) / longer;
  const isLong = (longer / shorter) * shortestEdge > longestEdge;
  const edge = isLong ? roundEven(raw) : shortestEdge;
  const other = shorter === edge ? longer : Math.floor(((isLong ? raw : edge) * longer) / shorter);
  return width < height ? { width: edge, height: other } : { width: other, height: edge };
}

/** The same by `get_resize_output_image_size` of transformers, which drops fractions. */
function cutWithinEdges({ width, height }: Size, { shortestEdge, longestEdge }: Edges): Size {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const other = Math.floor((shortestEdge * longer) / shorter);
  const [short, long] =
    other > longestEdge
      ? [Math.floor((longestEdge * shortestEdge) / other), longestEdge]
      : [shortestEdge, other];
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

function inMultiples(pixels: number, { multipleOf = 1, rounding }: Edges): number {
  return (rounding === "up" ? Math.ceil : Math.floor)(pixels / multipleOf) * multipleOf;
}

/**
 * The width of a line of text at the whole height, as PP-OCR has it: a line that is filled up is rounded up, and a longer
 * one down.
 */
function widthOfLine(image: Size, { width, height, resize: to }: ImageOptions): number {
  const own = height * (image.width / image.height);
  const least = leastWidthOf(to);
  if (least !== undefined && Math.floor(own) > width)
    throw new RangeError(
      `is a picture of ${image.width} × ${image.height} pixels, too wide: its text would be ${Math.floor(own)} pixels long at a height of ${height}, and the model takes ${width}`,
    );
  const most = least === undefined ? width : Math.max(least, Math.floor(own));
  return Math.max(1, Math.min(most, Math.ceil(own)));
}

function half(pixels: number, crop: ImageOptions["crop"]): number {
  const down = Math.floor(pixels / 2);
  return crop === "even" && pixels % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}

function atShortestEdge({ width, height }: Size, edge: number) {
  return width <= height
    ? { width: edge, height: Math.floor((edge * height) / width) }
    : { width: Math.floor((edge * width) / height), height: edge };
}
