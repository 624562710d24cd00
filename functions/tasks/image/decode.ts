import { decode as decodeJpegFile } from "jpeg-js";
import type { Pixels } from "./pixels.ts";
import { decodePng } from "./png.ts";

/** Bytes that JPEG decoding needs for each pixel: coefficients, planes and the result. */
const JPEG_BYTES_PER_PIXEL = 24;

/** The most scans. Encoders make about ten. A scan of a few bytes may visit every block of the image. */
const MAX_JPEG_SCANS = 200;

/**
 * Decodes a PNG or JPEG; the first bytes tell which. Throws a RangeError when it is neither, is damaged, or has
 * more than `maxPixels` pixels. Its message continues the name of the input. The size is checked before
 * anything is inflated.
 */
export function decodeImage(bytes: Uint8Array, maxPixels: number): Pixels {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47]))
    return decoded("PNG", () => decodePng(bytes, maxPixels));
  if (startsWith(bytes, [0xff, 0xd8, 0xff]))
    return decoded("JPEG", () => decodeJpeg(bytes, maxPixels));
  throw new RangeError("must be a PNG or JPEG image");
}

function decoded(format: string, decode: () => Pixels): Pixels {
  try {
    return decode();
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown reason";
    throw new RangeError(`is not a ${format} image that can be decoded: ${reason}`, {
      cause: error,
    });
  }
}

function decodeJpeg(bytes: Uint8Array, maxPixels: number): Pixels {
  checkScans(bytes);
  const { width, height, data } = decodeJpegFile(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: maxPixels / 1e6,
    maxMemoryUsageInMB: Math.ceil((maxPixels * JPEG_BYTES_PER_PIXEL) / (1024 * 1024)) + 1,
  });
  return { width, height, channels: 3, data };
}

/** Counts the marker that begins a scan. It cannot occur within a scan. */
function checkScans(bytes: Uint8Array): void {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1))
    if (bytes[at + 1] === 0xda && ++scans > MAX_JPEG_SCANS)
      throw new Error(`it has more than ${MAX_JPEG_SCANS} scans`);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
