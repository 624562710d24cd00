import { concatenate } from "../../concatenate.ts";
import { crc32 } from "./crc32.ts";
import { orientationOfPng, type PngChunk } from "./png-orientation.ts";

/** The facts about a PNG before it is decoded. */
export interface PngFile {
  width: number;
  height: number;
  /** Whether it is grey of 16 bits. Pillow keeps that as numbers up to 65,535. */
  isDeepGrey: boolean;
  /** Bytes of a pixel as it is decoded, which is less than one for a few colours. */
  pixelBytes: number;
  orientation: number;
  /**
   * Makes a file of the chunks that the pixels need. Leaves out all others: colour profiles and texts could inflate
   * without bound.
   */
  file(): Uint8Array;
}

/** Samples a pixel by colour type: grey, RGB, palette, grey and alpha, RGBA (PNG, section 11.2.1). */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Deflate expands at most this many times. */
const MOST_EXPANSION = 1032;
/** More bytes than Deflate makes of a single pixel, with all its tables. */
const LEAST_COMPRESSED = 1024;

interface Chunk extends PngChunk {
  /** The type and the data. The checksum is computed over both. */
  checked: Uint8Array;
  checksum: number;
  whole: Uint8Array;
}

/** Reads a PNG's chunks. Throws an Error that says what is wrong with them. */
export function readPng(bytes: Uint8Array): PngFile {
  const chunks = chunksOf(bytes);
  const [header] = chunks;
  if (header?.type !== "IHDR" || header.data.length !== 13) throw new Error("it has no header");
  const view = new DataView(header.data.buffer, header.data.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, color] = [view.getUint8(8), view.getUint8(9)];
  const samples = SAMPLES[color];
  if (width === 0 || height === 0 || samples === undefined)
    throw new Error("its header is not valid");
  return {
    width,
    height,
    isDeepGrey: color === 0 && depth === 16,
    // Deep grey is decoded to four samples.
    pixelBytes: color === 0 && depth === 16 ? 8 : (samples * depth) / 8,
    orientation: orientationOfPng(chunks),
    file() {
      const needed = chunks.filter(({ type }) => ["IHDR", "PLTE", "IDAT", "IEND"].includes(type));
      for (const { type, checked, checksum } of needed)
        if (crc32(checked) !== checksum)
          throw new Error(`the checksum of its ${type} part is wrong`);
      const compressed = needed
        .filter(({ type }) => type === "IDAT")
        .reduce((total, { data }) => total + data.length, 0);
      const expected = (width * height * samples * depth) / 8;
      if (compressed * MOST_EXPANSION < expected)
        throw new Error("it has fewer pixels than its header says");
      // Interlaced rows of one bit have a byte and a filter for each pixel.
      if (compressed > 16 * expected + LEAST_COMPRESSED)
        throw new Error("it has more data than its header says");
      return concatenate([bytes.subarray(0, 8), ...needed.map(({ whole }) => whole)]);
    },
  };
}

function chunksOf(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let offset = 8; offset + 12 <= bytes.length;) {
    const end = offset + 12 + view.getUint32(offset);
    if (end > bytes.length) break;
    const checked = bytes.subarray(offset + 4, end - 4);
    const type = String.fromCharCode(...checked.subarray(0, 4));
    chunks.push({
      type,
      data: checked.subarray(4),
      checked,
      checksum: view.getUint32(end - 4),
      whole: bytes.subarray(offset, end),
    });
    if (type === "IEND") return chunks;
    offset = end;
  }
  throw new Error("it is truncated");
}
