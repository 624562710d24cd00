import { concatenate } from "../../concatenate.ts";
import { hasText } from "./formats.ts";
import { readExif, readXmp } from "./orientation.ts";

/** The facts about a WebP before it is decoded. */
export interface WebpFile {
  width: number;
  height: number;
  orientation: number;
  /** The first picture of an animation as a file of its own, and its place on the canvas. */
  first: { file: Uint8Array; left: number; top: number } | undefined;
}

/** Reads a WebP's header (RFC 9649). Throws an Error that says why it cannot be decoded. */
export function readWebp(bytes: Uint8Array): WebpFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = 8 + view.getUint32(4, true);
  const chunks = chunksOf(bytes.subarray(12, Math.max(12, end)));
  const [exif, xmp] = [chunks.get("EXIF"), chunks.get("XMP ")];
  const orientation = (exif && readExif(exif)) ?? (xmp && readXmp(xmp)) ?? 1;
  const frame = chunks.get("ANMF");
  const size = frame ? canvasOf(chunks.get("VP8X")) : sizeOf(chunks);
  return { ...size, orientation, first: frame && firstPicture(frame, size) };
}

function chunksOf(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<string, Uint8Array>();
  for (let offset = 0; offset + 8 <= bytes.length;) {
    const type = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const size = view.getUint32(offset + 4, true);
    const data = bytes.subarray(offset + 8, offset + 8 + size);
    if (data.length < size) throw new Error("it is truncated");
    if (!chunks.has(type)) chunks.set(type, data);
    offset += 8 + size + (size % 2);
  }
  return chunks;
}

function canvasOf(extended: Uint8Array | undefined) {
  if (!extended || extended.length < 10) throw new Error("its header is not valid");
  return { width: 1 + read24(extended, 4), height: 1 + read24(extended, 7) };
}

/**
 * Reads a frame. Before its chunks it has its place, halved, and its size, each in 24 bits (RFC 9649, section 2.7.1.1).
 */
function firstPicture(frame: Uint8Array, canvas: Pick<WebpFile, "width" | "height">) {
  const chunks = chunksOf(frame.subarray(16));
  const { width, height } = sizeOf(chunks);
  const [left, top] = [2 * read24(frame, 0), 2 * read24(frame, 3)];
  if (left + width > canvas.width || top + height > canvas.height)
    throw new Error("its header is not valid");
  const header = new Uint8Array(10);
  header[0] = chunks.has("ALPH") ? 0x10 : 0;
  header.set(
    [(width - 1) & 0xff, (width - 1) >> 8, 0, (height - 1) & 0xff, (height - 1) >> 8, 0],
    4,
  );
  const parts = [...chunks].filter(([type]) => ["ALPH", "VP8 ", "VP8L"].includes(type));
  const body = [["VP8X", header] as const, ...parts].flatMap(([type, data]) => written(type, data));
  const file = concatenate([
    text("RIFF"),
    size32(4 + concatenate(body).length),
    text("WEBP"),
    ...body,
  ]);
  return { file, left, top };
}

function written(type: string, data: Uint8Array): Uint8Array[] {
  return [text(type), size32(data.length), data, new Uint8Array(data.length % 2)];
}

function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

function size32(size: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, size, true);
  return bytes;
}

function read24(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
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
