import { convertIndexedToRgb, decode } from "fast-png";
import { Unzlib } from "fflate";
import type { Pixels } from "./decode.ts";

/** Samples a pixel by colour type: grey, RGB, palette, grey and alpha, RGBA (PNG, section 11.2.1). */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** The chunks that pixels need. The others (colour profiles, text) may inflate without bound. */
const PIXEL_CHUNKS = new Set(["IHDR", "PLTE", "IDAT", "IEND"]);
/** Deflate expands at most about a thousandfold, so each step makes at most 4 MiB. */
const INFLATE_STEP_BYTES = 4096;

/** Decodes a PNG; throws when it is damaged, too large, or inflates to more than its header says. */
export function decodePng(bytes: Uint8Array, maxPixels: number): Pixels {
  const chunks = pixelChunks(bytes);
  checkInflatedSize(chunks, maxPixels);
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

function checkInflatedSize(chunks: Chunk[], maxPixels: number): void {
  const [header, ...rest] = chunks;
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
  const samples = SAMPLES[view.getUint8(9)];
  if (width === 0 || height === 0 || samples === undefined)
    throw new Error("it has no valid header");
  // fast-png reads these as if they had a byte a sample: wrong pixels, or none.
  if (view.getUint8(12) !== 0 && view.getUint8(8) < 8)
    throw new Error("it is interlaced with less than 8 bits a sample, which is not supported");
  // So little cannot inflate beyond one step, and inflating twice is most of what a small image costs.
  const compressed = rest.reduce(
    (total, { type, data }) => total + (type === "IDAT" ? data.length : 0),
    0,
  );
  if (compressed <= INFLATE_STEP_BYTES) return;
  const rowBytes = 1 + Math.ceil((width * samples * view.getUint8(8)) / 8);
  // Interlaced images have up to seven passes, each with its own filter bytes and rounding.
  const limit = rowBytes * height + 8 * (width + height) + 64;

  let inflated = 0;
  const inflator = new Unzlib((part) => {
    inflated += part.length;
    if (inflated > limit) throw new Error("it inflates to more than its header says");
  });
  for (const { type, data } of rest)
    if (type === "IDAT")
      for (let start = 0; start < data.length; start += INFLATE_STEP_BYTES)
        inflator.push(data.subarray(start, start + INFLATE_STEP_BYTES));
}

function concatenate(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** Samples of 1, 2 and 4 bits are packed, each row from a new byte; those of 16 bits lose the low byte. */
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
