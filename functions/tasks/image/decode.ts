import type { IdlePlace } from "./decoder-instance.ts";
import { createEmscriptenDecoder } from "./emscripten-decoder.ts";
import { formatOf, type ImageFormat, type LoadDecoder } from "./formats.ts";
import { colourSpaceOf, joinPlanes } from "./jpeg-colours.ts";
import { checkScans, readJpeg } from "./jpeg-file.ts";
import { decodePlanes, needsPlanes } from "./jpeg-planes.ts";
import { turnUpright } from "./orientation.ts";
import type { ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";
import { createPngDecoder } from "./png-decoder.ts";
import { readPng } from "./png-file.ts";
import { readWebp } from "./webp-file.ts";

/** An image whose header was read, and that is not decoded yet. */
interface Opened {
  width: number;
  height: number;
  /** EXIF's number. */
  orientation: number;
  /** Throws an Error where decoding would take long for another reason than the size. */
  check?(): void;
  decode(): Pixels;
}

type Open = (bytes: Uint8Array) => Opened;

export interface DecodeOptions {
  /** The most pixels of a request. */
  maxPixels: number;
  /** Those of the images before this one. */
  used?: number;
  orientation: ImageOptions["orientation"];
}

/**
 * Decodes a JPEG, PNG or WebP to the pixels that Pillow's `Image.open(…).convert("RGB")` has; the first bytes
 * tell which. Throws a RangeError when it is none of them, is damaged, of a kind that is not read, or has too
 * many pixels. Its message continues the name of the input. The size is checked before anything is inflated.
 */
export type DecodeImage = (bytes: Uint8Array, options: DecodeOptions) => Pixels;

/**
 * An image may have so many pixels, whatever its bytes: some fifty milliseconds of work. A larger one needs bytes, or a few
 * kilobytes of nothing would cost as much as a photo. Photos have up to 30 pixels a byte.
 */
const FREE_PIXELS = 4_200_000;
const MOST_PIXELS_PER_BYTE = 64;

/** What a message of libjpeg says when pixels are made up. */
const DAMAGE = /premature end|bad Huffman|instead of RST/i;

/** Models share decoders, and so their memory. Kept when it is made: on Workers no request may wait for another's. */
const made = new WeakMap<LoadDecoder, DecodeImage>();

/** The decoder of a platform. The first call loads it. */
export async function openImageDecoder(load: LoadDecoder): Promise<DecodeImage> {
  const known = made.get(load);
  if (known) return known;
  const decodeImage = await loadImageDecoder(load);
  made.set(load, decodeImage);
  return decodeImage;
}

async function loadImageDecoder(load: LoadDecoder): Promise<DecodeImage> {
  const [jpegModule, pngModule, webpModule, { default: jpeg }, { default: webp }] =
    await Promise.all([
      load("jpeg"),
      load("png"),
      load("webp"),
      import("@jsquash/jpeg/codec/dec/mozjpeg_dec.js"),
      import("@jsquash/webp/codec/dec/webp_dec.js"),
    ]);
  const doNotTurn = false;
  // Both begin with 16 MiB of memory.
  const idle: IdlePlace = {};
  const openers: Record<ImageFormat, Open> = {
    jpeg: openJpeg(createEmscriptenDecoder({ factory: jpeg, module: jpegModule, idle }, doNotTurn)),
    png: openPng(createPngDecoder(pngModule)),
    webp: openWebp(createEmscriptenDecoder({ factory: webp, module: webpModule, idle })),
  };

  return function decodeImage(bytes, { maxPixels, used = 0, orientation }) {
    const format = formatOf(bytes);
    const name = { jpeg: "JPEG", png: "PNG", webp: "WebP" }[format];
    const opened = explained(name, () => openers[format](bytes));
    const pixels = opened.width * opened.height;
    if (used + pixels > maxPixels) {
      const before = used > 0 ? `, and those before it have ${used}` : "";
      throw new RangeError(
        `is a ${name} image of ${opened.width} × ${opened.height} = ${pixels} pixels${before}; a request may have ${maxPixels} (MAX_IMAGE_PIXELS, or the model's limits.imagePixels): make it smaller`,
      );
    }
    explained(name, () => opened.check?.());
    if (pixels > Math.max(FREE_PIXELS, bytes.length * MOST_PIXELS_PER_BYTE))
      throw new RangeError(
        `is a ${name} image of ${opened.width} × ${opened.height} = ${pixels} pixels in ${bytes.length} bytes; more than ${FREE_PIXELS} pixels need a byte for each ${MOST_PIXELS_PER_BYTE}: make it smaller`,
      );
    const image = explained(name, () => opened.decode());
    return orientation === "exif" ? turnUpright(image, opened.orientation) : image;
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
      check: () => checkScans(file, bytes.length),
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

/** Pillow does not scale grey of 16 bits: what is above 255 is white. */
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
      decode() {
        const { pixels } = decoder(first ? first.file : bytes);
        if (!pixels) throw new Error("its data is damaged");
        return first ? placed(pixels, first, file) : pixels;
      },
    };
  };
}

/** A picture on a black ground, which it may not fill. */
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
