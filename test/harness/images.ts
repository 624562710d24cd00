import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { crc32, deflateSync } from "node:zlib";
import startEncoder from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions } from "@jsquash/jpeg/meta.js";
import { decode, encode } from "fast-png";
import type { Pixels } from "../../functions/tasks/image/pixels.ts";

const encoderFile = createRequire(import.meta.url).resolve(
  "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
);
const encoder = await (startEncoder as unknown as StartEncoder)({
  wasmBinary: await readFile(encoderFile),
});

type StartEncoder = (module: { wasmBinary: Uint8Array }) => Promise<{
  encode(rgba: Uint8Array, width: number, height: number, options: object): Uint8Array;
}>;

interface Rgba {
  width: number;
  height: number;
  data: Uint8Array;
}

/** The same image without the fourth byte of each pixel, if it has one. */
export function withoutFourth(image: Pixels): Pixels {
  if (image.channels !== 4) return image;
  return { ...image, channels: 3, data: image.data.filter((_, at) => at % 4 < 3) };
}

/** A progressive JPEG. */
export function encodeJpeg({ width, height, data }: Rgba, quality: number): Buffer<ArrayBuffer> {
  return Buffer.from(encoder.encode(data, width, height, { ...defaultOptions, quality }));
}

/** A PNG whose header says one size and whose data inflates to any number of zero bytes. */
export function encodePng(image: { width: number; height: number; inflatesTo: number }): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(image.width, 0);
  header.writeUInt32BE(image.height, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.alloc(image.inflatesTo))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A chunk with its length and checksum. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const result = Buffer.alloc(body.length + 8);
  result.writeUInt32BE(data.length, 0);
  body.copy(result, 4);
  result.writeUInt32BE(crc32(body), body.length + 4);
  return result;
}

/** The digit, sixteen times as large, as a JPEG of high quality and as an RGBA PNG. */
export function jpegOfDigit({ input, label }: { input: string; label: string }) {
  const { width, height, data } = decode(Buffer.from(input, "base64"));
  const scale = 16;
  const [largeWidth, largeHeight] = [width * scale, height * scale];
  const rgba = Buffer.alloc(largeWidth * largeHeight * 4, 255);
  for (let y = 0; y < largeHeight; y++)
    for (let x = 0; x < largeWidth; x++) {
      const grey = data[Math.floor(y / scale) * width + Math.floor(x / scale)] ?? 0;
      rgba.fill(grey, (y * largeWidth + x) * 4, (y * largeWidth + x) * 4 + 3);
    }
  const image = { width: largeWidth, height: largeHeight, data: rgba };
  return {
    jpeg: encodeJpeg(image, 95),
    colourPng: Buffer.from(encode(image)),
    label,
  };
}
