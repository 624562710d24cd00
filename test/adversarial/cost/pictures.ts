import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { deflateSync } from "node:zlib";
import startWebp from "@jsquash/webp/codec/enc/webp_enc.js";
import { defaultOptions } from "@jsquash/webp/meta.js";
import { encodeJpeg, pngChunk } from "../../harness/images.ts";

const encoderFile = createRequire(import.meta.url).resolve("@jsquash/webp/codec/enc/webp_enc.wasm");
const webp = await (
  startWebp as unknown as (module: { wasmBinary: Uint8Array }) => Promise<{
    encode(rgba: Uint8Array, width: number, height: number, options: object): Uint8Array;
  }>
)({ wasmBinary: await readFile(encoderFile) });

const PNG_CHANNELS = { grey: [0, 1], colour: [2, 3], palette: [3, 1], alpha: [6, 4] } as const;

export interface PngOptions {
  width: number;
  height: number;
  colour: keyof typeof PNG_CHANNELS;
  depth: number;
  interlaced: boolean;
  /** The filter of each row (PNG 1.2, 6.1). */
  filter: number;
  /** Chunks that say nothing of the pixels. */
  chunks: number;
  /** Bytes that a compressed text and a colour profile inflate to. */
  inflated?: number;
}

/** A PNG of one colour. Undefined where its rows would take more memory than is worth it. */
export function plainPng(options: PngOptions): Buffer | undefined {
  const { width, height, colour, filter, interlaced, chunks } = options;
  const [type, channels] = PNG_CHANNELS[colour];
  const depth =
    type === 0
      ? options.depth
      : type === 3
        ? Math.min(options.depth, 8)
        : options.depth >= 8
          ? options.depth
          : 8;
  const rowBytes = 1 + Math.ceil((width * channels * depth) / 8);
  // Seven passes have more rows, and half a row more of padding.
  const total = rowBytes * height * (interlaced ? 2 : 1);
  if (total > 140_000_000) return undefined;
  const rows = Buffer.alloc(total);
  if (filter > 0 && !interlaced)
    for (let row = 0; row < height; row++) rows[row * rowBytes] = filter;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, interlaced ? 1 : 0], 8);
  const text = pngChunk("tEXt", Buffer.from("a\0b"));
  const { inflated = 0 } = options;
  const bomb = inflated > 0 ? deflateSync(Buffer.alloc(inflated)) : undefined;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    ...(bomb
      ? [
          pngChunk("iCCP", Buffer.concat([Buffer.from("icc\0\0"), bomb])),
          pngChunk("zTXt", Buffer.concat([Buffer.from("Raw profile type exif\0\0"), bomb])),
        ]
      : []),
    ...(type === 3 ? [pngChunk("PLTE", Buffer.alloc(3))] : []),
    ...Array.from({ length: chunks }, () => text),
    pngChunk("IDAT", deflateSync(rows)),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A progressive JPEG of one colour, whose scans after the first come so many times. */
export function jpegOfScans(width: number, height: number, times: number): Buffer {
  const plain = encodeJpeg({ width, height, data: new Uint8Array(width * height * 4) }, 75);
  const { head, scans } = split(plain);
  const repeated = Array.from({ length: times }, () => scans.slice(1)).flat();
  return Buffer.concat([head, ...scans.slice(0, 1), ...repeated, Buffer.from([0xff, 0xd9])]);
}

/** What stands before the first scan, and each scan with the tables before it. */
function split(jpeg: Buffer): { head: Buffer; scans: Buffer[] } {
  const scans: Buffer[] = [];
  let [at, begin, headEnd] = [2, 0, 0];
  while (at < jpeg.length && jpeg[at + 1] !== 0xd9) {
    const marker = jpeg[at + 1];
    const length = jpeg.readUInt16BE(at + 2);
    if (marker === 0xc2 || marker === 0xc0) headEnd = begin = at + 2 + length;
    at += 2 + length;
    if (marker !== 0xda) continue;
    while (jpeg[at] !== 0xff || jpeg[at + 1] === 0) at += 1;
    scans.push(jpeg.subarray(begin, at));
    begin = at;
  }
  return { head: jpeg.subarray(0, headEnd), scans };
}

/** A WebP of one colour. */
export function plainWebp(width: number, height: number, lossless: boolean): Buffer {
  return webpOf(new Uint8Array(width * height * 4), width, height, lossless);
}

/** A WebP of one colour whose rows are more or less transparent. */
export function transparentWebp(width: number, height: number, lossless: boolean): Buffer {
  const rgba = new Uint8Array(width * height * 4);
  for (let at = 3; at < rgba.length; at += 4) rgba[at] = (at / width) & 0xff;
  return webpOf(rgba, width, height, lossless);
}

/** An animation on a canvas of this size, whose only picture has one pixel. */
export function animatedWebp(width: number, height: number): Buffer {
  const picture = plainWebp(1, 1, true).subarray(12);
  const canvas = Buffer.alloc(10);
  canvas[0] = 2;
  canvas.writeUIntLE(width - 1, 4, 3);
  canvas.writeUIntLE(height - 1, 7, 3);
  const frame = Buffer.concat([Buffer.alloc(16), picture]);
  const chunks = [
    webpChunk("VP8X", canvas),
    webpChunk("ANIM", Buffer.alloc(6)),
    webpChunk("ANMF", frame),
  ];
  const body = Buffer.concat([Buffer.from("WEBP"), ...chunks]);
  return webpChunk("RIFF", body);
}

function webpChunk(type: string, data: Buffer): Buffer {
  const head = Buffer.from(`${type}    `);
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

function webpOf(rgba: Uint8Array, width: number, height: number, lossless: boolean): Buffer {
  const options = { ...defaultOptions, method: 0, lossless: lossless ? 1 : 0 };
  return Buffer.from(webp.encode(rgba, width, height, options));
}
