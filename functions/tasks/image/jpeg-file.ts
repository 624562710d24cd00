import { concatenate } from "../../concatenate.ts";
import { hasText } from "./formats.ts";
import { readExif, readXmp } from "./orientation.ts";

/** A component of a JPEG: a plane of its colours. */
export interface Component {
  id: number;
  /** How many of its blocks lie beside each other, and above each other, in a unit of the file. */
  across: number;
  down: number;
}

/** A part of the file, from its marker to the next one. */
export interface Segment {
  marker: number;
  /** The segment's bytes without its marker and length. */
  data: Uint8Array;
  /** For a scan: the bytes after the segment, which hold the pixels. */
  scan?: Uint8Array;
}

/** The facts about a JPEG before it is decoded. */
export interface JpegFile {
  width: number;
  height: number;
  components: readonly Component[];
  /** Whether coefficients come in more than one scan. */
  isProgressive: boolean;
  /** The colour transform of the Adobe marker. Undefined without that marker. */
  adobeTransform: number | undefined;
  hasJfif: boolean;
  orientation: number;
  segments: readonly Segment[];
}

export const MARKERS = {
  DHT: 0xc4,
  RST0: 0xd0,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
} as const;
export const DRI = 0xdd;
export const ADOBE = 0xee;
const [EXIF, XMP] = ["Exif\0\0", "http://ns.adobe.com/xap/1.0/\0"];

/** The most scans, of any size. Encoders make up to 18. */
const MOST_SCANS = 32;

/** Kinds of frames that are not supported, by their markers (ITU-T T.81, table B.1). */
const UNKNOWN_FRAMES: Record<number, string> = {
  0xc3: "it is lossless",
  0xc5: "it is hierarchical",
  0xc6: "it is hierarchical",
  0xc7: "it is lossless and hierarchical",
  0xc9: "it has arithmetic coding",
  0xca: "it has arithmetic coding",
  0xcb: "it is lossless, with arithmetic coding",
  0xcd: "it is hierarchical, with arithmetic coding",
  0xce: "it is hierarchical, with arithmetic coding",
  0xcf: "it is lossless, with arithmetic coding",
};

/** Reads a JPEG's segments. Throws an Error that says why it cannot be decoded. */
export function readJpeg(bytes: Uint8Array): JpegFile {
  const segments = segmentsOf(bytes);
  const frame = segments.find(({ marker }) => isFrame(marker));
  if (!frame) throw new Error("it has no header");
  const unknown = UNKNOWN_FRAMES[frame.marker];
  if (unknown) throw new Error(unknown);
  const adobe = segments.find(
    ({ marker, data }) => marker === ADOBE && data.length >= 12 && hasText(data, 0, "Adobe"),
  );
  return {
    ...readFrame(frame.data),
    isProgressive: frame.marker === 0xc2,
    adobeTransform: adobe?.data[11],
    hasJfif: segments.some(
      ({ marker, data }) => marker === 0xe0 && data.length >= 14 && hasText(data, 0, "JFIF\0"),
    ),
    orientation: orientationOf(segments),
    segments,
  };
}

/** How often the scans visit all pixels of the file. */
export function scansOf({ segments }: JpegFile): number {
  return segments.filter(({ marker }) => marker === MARKERS.SOS).length;
}

export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![MARKERS.DHT, 0xc8, 0xcc].includes(marker);
}

function segmentsOf(bytes: Uint8Array): Segment[] {
  const found: Segment[] = [];
  let scans = 0;
  for (let at = 2; ;) {
    at = bytes.indexOf(0xff, at);
    // Skips fill bytes, which may come before a marker.
    while (at >= 0 && bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (at < 0 || marker === undefined) throw new Error("it is truncated");
    at += 2;
    if (marker === MARKERS.EOI) return found;
    // Skips markers without a length, and bytes between segments.
    if (marker < 0xc0 || (marker >= MARKERS.RST0 && marker <= MARKERS.SOI)) continue;
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (length < 2 || at + length > bytes.length) throw new Error("it is truncated");
    const segment: Segment = { marker, data: bytes.subarray(at + 2, at + length) };
    found.push(segment);
    at += length;
    if (marker !== MARKERS.SOS) continue;
    if (++scans > MOST_SCANS)
      throw new Error(`it has more than ${MOST_SCANS} scans: save it as a baseline JPEG`);
    const end = endOfScan(bytes, at);
    segment.scan = bytes.subarray(at, end);
    at = end;
  }
}

/**
 * The position of the next marker that is not a restart. A marker follows a byte of 255 that is neither data nor fill.
 */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < MARKERS.RST0 || next > 0xd7)) return at;
  }
  throw new Error("it is truncated");
}

function readFrame(data: Uint8Array) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < 6) throw new Error("its header is not valid");
  const [bits, height, width, count] = [
    view.getUint8(0),
    view.getUint16(1),
    view.getUint16(3),
    view.getUint8(5),
  ];
  if (bits !== 8) throw new Error(`it has ${bits} bits a sample; only 8 are supported`);
  if (width === 0 || height === 0 || data.length < 6 + 3 * count)
    throw new Error("its header is not valid");
  if (![1, 3, 4].includes(count))
    throw new Error(`it has ${count} components; 1, 3 and 4 are supported`);
  const components = Array.from({ length: count }, (_, index): Component => {
    const sampling = view.getUint8(7 + 3 * index);
    return { id: view.getUint8(6 + 3 * index), across: sampling >> 4, down: sampling & 15 };
  });
  if (components.some(({ across, down }) => across < 1 || across > 4 || down < 1 || down > 4))
    throw new Error("its header is not valid");
  return { width, height, components };
}

function orientationOf(segments: readonly Segment[]): number {
  const before = segments.slice(
    0,
    segments.findIndex(({ marker }) => marker === MARKERS.SOS),
  );
  const parts = before.filter(({ marker }) => marker === 0xe1).map(({ data }) => data);
  const exif = parts.filter((data) => hasText(data, 0, EXIF));
  const xmp = parts.find((data) => hasText(data, 0, XMP));
  const whole = concatenate(exif.map((data, index) => (index === 0 ? data : data.subarray(6))));
  return readExif(whole) ?? (xmp && readXmp(xmp)) ?? 1;
}
