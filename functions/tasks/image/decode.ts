import type { IdlePlace } from "./decoder-instance.ts";
import { createEmscriptenDecoder } from "./emscripten-decoder.ts";
import type { Size } from "./fit.ts";
import { formatOf, type ImageFormat, type LoadDecoder } from "./formats.ts";
import { colourSpaceOf, joinPlanes } from "./jpeg-colours.ts";
import { readJpeg, scansOf } from "./jpeg-file.ts";
import { decodePlanes, needsPlanes } from "./jpeg-planes.ts";
import { swapsSides, turnUpright } from "./orientation.ts";
import type { ImageOptions } from "./options.ts";
import type { ImageSize } from "./pixel-budget.ts";
import type { Pixels } from "./pixels.ts";
import { createPngDecoder } from "./png-decoder.ts";
import { readPng } from "./png-file.ts";
import { readWebp } from "./webp-file.ts";

/** An image with a read header. It is not decoded yet. */
interface Opened {
  width: number;
  height: number;
  /** The orientation by EXIF's numbers. */
  orientation: number;
  effort: number;
  scans?: number;
  decode(): Pixels;
}

type Open = (bytes: Uint8Array) => Opened;

/** An image of known size. It is not decoded yet. */
export interface OpenedImage extends ImageSize {
  /** Width and height as decoding gives them. */
  sizeOf(orientation: ImageOptions["orientation"]): Size;
  /** Gives the pixels of Pillow's `Image.open(…).convert("RGB")`. Throws a RangeError when the image is damaged. */
  decode(orientation: ImageOptions["orientation"]): Pixels;
}

/**
 * Reads the header of a JPEG, PNG or WebP, and inflates nothing. The first bytes show the format. Throws a RangeError
 * when the image has another format, is damaged, or is of a kind that is not supported. The message continues the name
 * of the input.
 */
export type OpenImage = (bytes: Uint8Array) => OpenedImage;

/** JPEGs whose planes are decoded one by one take up to twice as long as the slowest others. */
const EFFORT_OF_PLANES = 3;
/** The time for a PNG grows with its bytes before compression. Most have 4 bytes a pixel or fewer. */
const USUAL_PIXEL_BYTES = 4;

/** Messages of libjpeg that mean it made up pixels. */
const DAMAGE = /premature end|bad Huffman|instead of RST/i;

/**
 * Models share decoders, and so their memory. Kept only once it is made: on Workers no request may wait for another's
 * promise.
 */
const made = new WeakMap<LoadDecoder, OpenImage>();

/** The decoder of a platform. The first call loads it. */
export async function loadImageDecoder(load: LoadDecoder): Promise<OpenImage> {
  const known = made.get(load);
  if (known) return known;
  const openImage = await startImageDecoder(load);
  made.set(load, openImage);
  return openImage;
}

async function startImageDecoder(load: LoadDecoder): Promise<OpenImage> {
  const [jpegModule, pngModule, webpModule, { default: jpeg }, { default: webp }] =
    await Promise.all([
      load("jpeg"),
      load("png"),
      load("webp"),
      import("@jsquash/jpeg/codec/dec/mozjpeg_dec.js"),
      import("@jsquash/webp/codec/dec/webp_dec.js"),
    ]);
  const doNotTurn = false;
  // JPEG and WebP share one place for an idle decoder: each begins with 16 MiB of memory.
  const idle: IdlePlace = {};
  const openers: Record<ImageFormat, Open> = {
    jpeg: openJpeg(createEmscriptenDecoder({ factory: jpeg, module: jpegModule, idle }, doNotTurn)),
    png: openPng(createPngDecoder(pngModule)),
    webp: openWebp(createEmscriptenDecoder({ factory: webp, module: webpModule, idle })),
  };

  return function openImage(bytes) {
    const kind = formatOf(bytes);
    const format = { jpeg: "JPEG", png: "PNG", webp: "WebP" }[kind];
    const opened = explained(format, () => openers[kind](bytes));
    const { width, height, effort, scans = 1 } = opened;
    return {
      format,
      width,
      height,
      effort,
      scans,
      bytes: bytes.length,
      sizeOf: (orientation) =>
        orientation === "exif" && swapsSides(opened.orientation)
          ? { width: height, height: width }
          : { width, height },
      decode(orientation) {
        const image = explained(format, () => opened.decode());
        return orientation === "exif" ? turnUpright(image, opened.orientation) : image;
      },
    };
  };
}

function explained<Result>(format: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it is damaged";
    throw new RangeError(`is not a ${format} image that can be decoded: ${reason}`, {
      cause: error,
    });
  }
}

function openJpeg(decoder: ReturnType<typeof createEmscriptenDecoder>): Open {
  function decodeFile(bytes: Uint8Array): Pixels {
    const { pixels, messages } = decoder(bytes);
    if (messages.some((message) => DAMAGE.test(message))) throw new Error("its data is damaged");
    if (!pixels) throw new Error("it is damaged");
    return pixels;
  }
  return (bytes) => {
    const file = readJpeg(bytes);
    return {
      ...file,
      effort: needsPlanes(file) ? EFFORT_OF_PLANES : 1,
      scans: scansOf(file),
      decode() {
        if (!needsPlanes(file)) return decodeFile(bytes);
        return joinPlanes(decodePlanes(file, decodeFile), colourSpaceOf(file), file);
      },
    };
  };
}

function openPng(decoder: ReturnType<typeof createPngDecoder>): Open {
  return (bytes) => {
    const file = readPng(bytes);
    return {
      ...file,
      effort: Math.max(1, file.pixelBytes / USUAL_PIXEL_BYTES),
      decode() {
        const image = file.isDeepGrey
          ? clipped(decoder.decodeDeep(file.file()))
          : decoder.decode(file.file());
        if (!image) throw new Error("its data is damaged");
        return image;
      },
    };
  };
}

/** Pillow does not scale grey of 16 bits. All values above 255 become white. */
function clipped(deep: { width: number; height: number; data: Uint16Array } | undefined) {
  if (!deep) return undefined;
  const data = new Uint8ClampedArray(deep.data);
  return { ...deep, channels: 1 as const, data: new Uint8Array(data.buffer) };
}

function openWebp(decoder: ReturnType<typeof createEmscriptenDecoder>): Open {
  return (bytes) => {
    const { first, ...file } = readWebp(bytes);
    return {
      ...file,
      effort: 1,
      decode() {
        const { pixels } = decoder(first ? first.file : bytes);
        if (!pixels) throw new Error("its data is damaged");
        return first ? placed(pixels, first, file) : pixels;
      },
    };
  };
}

/** Places a picture on a black ground. The picture may be smaller than the ground. */
function placed(
  picture: Pixels,
  { left, top }: { left: number; top: number },
  { width, height }: Pick<Pixels, "width" | "height">,
): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  const { channels } = picture;
  const row = picture.width * channels;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < picture.height; y++)
    data.set(picture.data.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * channels);
  return { width, height, channels, data };
}
