import { crc32, deflateSync } from "node:zlib";
import { decode, encode } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";

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

/** The digit sixteen times as large: as a JPEG of high quality and as an RGBA PNG. */
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
    jpeg: Buffer.from(encodeJpeg(image, 95).data),
    colourPng: Buffer.from(encode(image)),
    label,
  };
}
