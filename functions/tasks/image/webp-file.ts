import { hasText } from "./formats.ts";
import { readExif, readXmp } from "./orientation.ts";

/** What is to know of a WebP before it is decoded. */
export interface WebpFile {
  width: number;
  height: number;
  orientation: number;
}

/** Reads a WebP's header (RFC 9649). Throws an Error that says why it cannot be decoded. */
export function readWebp(bytes: Uint8Array): WebpFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<string, Uint8Array>();
  const end = 8 + view.getUint32(4, true);
  for (let offset = 12; offset + 8 <= Math.min(end, bytes.length);) {
    const type = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const size = view.getUint32(offset + 4, true);
    const data = bytes.subarray(offset + 8, offset + 8 + size);
    if (data.length < size) throw new Error("it is truncated");
    if (!chunks.has(type)) chunks.set(type, data);
    offset += 8 + size + (size % 2);
  }
  if (chunks.has("ANIM") || chunks.has("ANMF")) throw new Error("it is animated");
  const [exif, xmp] = [chunks.get("EXIF"), chunks.get("XMP ")];
  const orientation = (exif && readExif(exif)) ?? (xmp && readXmp(xmp)) ?? 1;
  return { ...sizeOf(chunks), orientation };
}

function sizeOf(chunks: ReadonlyMap<string, Uint8Array>) {
  const lossy = chunks.get("VP8 ");
  if (lossy && lossy.length >= 10 && hasText(lossy, 3, "\x9d\x01\x2a")) {
    const view = new DataView(lossy.buffer, lossy.byteOffset, 10);
    return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  }
  const lossless = chunks.get("VP8L");
  if (lossless && lossless.length >= 5 && lossless[0] === 0x2f) {
    const bits = new DataView(lossless.buffer, lossless.byteOffset, 5).getUint32(1, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  throw new Error("it has no picture");
}
