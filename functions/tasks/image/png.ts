import { convertIndexedToRgb, decode } from "fast-png";
import { Unzlib } from "fflate";
import { concatenate } from "../../concatenate.ts";
import type { Pixels } from "./pixels.ts";
import { checkCrc, decodeSamples, type PlainHeader } from "./small-png.ts";

/** Samples a pixel by colour type: grey, RGB, palette, grey and alpha, RGBA (PNG, section 11.2.1). */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PALETTE = 3;
/** The chunks that pixels need. The others (colour profiles, text) may inflate without bound. */
const PIXEL_CHUNKS = new Set(["IHDR", "PLTE", "IDAT", "IEND"]);
/**
 * Deflate expands at most about a thousandfold: each step makes at most 4 MiB. Data shorter than a step is
 * harmless, and is inflated only once.
 */
const INFLATE_STEP_BYTES = 4096;

/** Decodes a PNG. Throws when it is damaged, too large, or inflates to more than its header says. */
export function decodePng(bytes: Uint8Array, maxPixels: number): Pixels {
  const chunks = pixelChunks(bytes);
  const header = readHeader(chunks, maxPixels);
  const parts = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const size = parts.reduce((total, part) => total + part.length, 0);
  if (size <= INFLATE_STEP_BYTES && header.isPlain) {
    for (const { whole } of chunks) checkCrc(whole);
    const data = decodeSamples(header, concatenate(parts));
    return dropAlpha({ ...header, data });
  }
  if (size > INFLATE_STEP_BYTES) checkInflatedSize(header, parts);
  const png = decode(concatenate([bytes.subarray(0, 8), ...chunks.map(({ whole }) => whole)]), {
    checkCrc: true,
  });
  const { width, height } = png;
  if (png.palette) {
    const channels = png.palette[0]?.length ?? 3;
    return dropAlpha({ width, height, channels, data: convertIndexedToRgb(png) });
  }
  const data = toEightBits(png.data, width * png.channels, height, png.depth);
  return dropAlpha({ width, height, channels: png.channels, data });
}

interface Chunk {
  type: string;
  data: Uint8Array;
  whole: Uint8Array;
}

function pixelChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let offset = 8; offset + 12 <= bytes.length;) {
    const length = view.getUint32(offset);
    const end = offset + 12 + length;
    if (end > bytes.length) throw new Error("it is truncated");
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (PIXEL_CHUNKS.has(type))
      chunks.push({
        type,
        data: bytes.subarray(offset + 8, end - 4),
        whole: bytes.subarray(offset, end),
      });
    if (type === "IEND") return chunks;
    offset = end;
  }
  throw new Error("it is truncated");
}

interface Header extends PlainHeader {
  depth: number;
  isPlain: boolean;
}

/** Throws when this is no header, has more than `maxPixels`, or is something that fast-png cannot read. */
function readHeader([header, ...rest]: Chunk[], maxPixels: number): Header {
  if (
    header?.type !== "IHDR" ||
    header.data.length !== 13 ||
    rest.some(({ type }) => type === "IHDR")
  )
    throw new Error("it has no valid header");
  const view = new DataView(header.data.buffer, header.data.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width * height > maxPixels)
    throw new Error(`it has ${width} × ${height} pixels, at most ${maxPixels} are allowed`);
  const [depth, color] = [view.getUint8(8), view.getUint8(9)];
  const channels = SAMPLES[color];
  if (width === 0 || height === 0 || channels === undefined)
    throw new Error("it has no valid header");
  const methods = [10, 11, 12].map((offset) => view.getUint8(offset));
  // fast-png reads these as if a sample were a byte, and gives wrong pixels, or none.
  if (methods[2] !== 0 && depth < 8)
    throw new Error("it is interlaced with less than 8 bits a sample, which is not supported");
  const isPlain = depth === 8 && color !== PALETTE && methods.every((method) => method === 0);
  return { width, height, channels, depth, isPlain };
}

/** Throws when the compressed parts inflate to more than the header says. */
function checkInflatedSize({ width, height, channels, depth }: Header, parts: Uint8Array[]): void {
  const rowBytes = 1 + Math.ceil((width * channels * depth) / 8);
  // Interlaced images have up to seven passes, each with its own filter bytes and rounding.
  const limit = rowBytes * height + 8 * (width + height) + 64;

  let inflated = 0;
  const inflator = new Unzlib((part) => {
    inflated += part.length;
    if (inflated > limit) throw new Error("it inflates to more than its header says");
  });
  for (const part of parts)
    for (let start = 0; start < part.length; start += INFLATE_STEP_BYTES)
      inflator.push(part.subarray(start, start + INFLATE_STEP_BYTES));
}

/**
 * Samples of 1, 2 and 4 bits are packed, and each row begins with a new byte. Samples of 16 bits lose the low
 * byte.
 */
function toEightBits(
  data: ArrayLike<number>,
  rowSamples: number,
  height: number,
  depth: number,
): Uint8Array {
  const result = new Uint8Array(rowSamples * height);
  if (depth >= 8) {
    for (let index = 0; index < result.length; index++)
      result[index] = depth === 16 ? (data[index] ?? 0) >> 8 : (data[index] ?? 0);
    return result;
  }
  const perByte = 8 / depth;
  const highest = 2 ** depth - 1;
  const rowBytes = Math.ceil(rowSamples / perByte);
  for (let index = 0; index < result.length; index++) {
    const column = index % rowSamples;
    const byte =
      data[Math.floor(index / rowSamples) * rowBytes + Math.floor(column / perByte)] ?? 0;
    const shift = 8 - depth * ((column % perByte) + 1);
    result[index] = (((byte >> shift) & highest) * 255) / highest;
  }
  return result;
}

function dropAlpha(image: {
  width: number;
  height: number;
  channels: number;
  data: Uint8Array;
}): Pixels {
  const { width, height, channels, data } = image;
  const kept = channels <= 2 ? 1 : 3;
  if (channels === kept) return { width, height, channels: kept, data };
  const result = new Uint8Array(width * height * kept);
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let channel = 0; channel < kept; channel++)
      result[pixel * kept + channel] = data[pixel * channels + channel] ?? 0;
  return { width, height, channels: kept, data: result };
}
