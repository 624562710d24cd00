import { hasText } from "./formats.ts";
import type { Pixels } from "./pixels.ts";

const ORIENTATION_TAG = 0x0112;
/** The types of an EXIF value that can hold an orientation: a byte, 16 bits and 32 bits. */
const READERS: Record<number, (view: DataView, offset: number, isLittle: boolean) => number> = {
  1: (view, offset) => view.getUint8(offset),
  3: (view, offset, isLittle) => view.getUint16(offset, isLittle),
  4: (view, offset, isLittle) => view.getUint32(offset, isLittle),
};

/** The orientation in EXIF data, with or without the word `Exif` before it. Undefined when it has none. */
export function readExif(data: Uint8Array): number | undefined {
  let at = 0;
  for (let times = 0; times < 2; times++) if (hasText(data, at, "Exif\0\0")) at += 6;
  const tiff = data.subarray(at);
  const isLittle = hasText(tiff, 0, "II*\0");
  if (!isLittle && !hasText(tiff, 0, "MM\0*")) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (view.byteLength < 8) return undefined;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > view.byteLength) return undefined;
  const entries = view.getUint16(directory, isLittle);
  for (let entry = 0; entry < entries; entry++) {
    const offset = directory + 2 + entry * 12;
    if (offset + 12 > view.byteLength) return undefined;
    if (view.getUint16(offset, isLittle) === ORIENTATION_TAG)
      return READERS[view.getUint16(offset + 2, isLittle)]?.(view, offset + 8, isLittle);
  }
  return undefined;
}

/** The orientation in XMP data, for images without EXIF. Undefined when it has none. */
export function readXmp(data: Uint8Array): number | undefined {
  const [, found] = /tiff:Orientation(?:="|>)(\d)/.exec(new TextDecoder().decode(data)) ?? [];
  return found === undefined ? undefined : Number(found);
}

/** By EXIF's numbers: where the pixels of the turned image come from. */
const SOURCES: Record<number, { swaps: boolean; fromRight: boolean; fromBottom: boolean }> = {
  2: { swaps: false, fromRight: true, fromBottom: false },
  3: { swaps: false, fromRight: true, fromBottom: true },
  4: { swaps: false, fromRight: false, fromBottom: true },
  5: { swaps: true, fromRight: false, fromBottom: false },
  6: { swaps: true, fromRight: false, fromBottom: true },
  7: { swaps: true, fromRight: true, fromBottom: true },
  8: { swaps: true, fromRight: true, fromBottom: false },
};

/** Whether an image of this orientation is turned by a quarter, so that its width becomes its height. */
export function swapsSides(orientation: number): boolean {
  return SOURCES[orientation]?.swaps ?? false;
}

/** Turns an image upright, as Pillow's `exif_transpose` does. Other numbers than 2 to 8 change nothing. */
export function turnUpright(image: Pixels, orientation: number): Pixels {
  const source = SOURCES[orientation];
  if (!source) return image;
  const { channels } = image;
  const width = source.swaps ? image.height : image.width;
  const height = source.swaps ? image.width : image.height;
  const [across, down] = source.swaps ? [image.width, 1] : [1, image.width];
  const stepX = (source.swaps ? source.fromBottom : source.fromRight) ? -across : across;
  const stepY = (source.swaps ? source.fromRight : source.fromBottom) ? -down : down;
  const first =
    (source.fromRight ? image.width - 1 : 0) +
    (source.fromBottom ? (image.height - 1) * image.width : 0);
  const data = new Uint8Array(image.data.length);
  const from = whole(image.data, channels);
  const to = whole(data, channels);
  const parts = from === image.data ? channels : 1;
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0, at = first + y * stepY; x < width; x++, pixel++, at += stepX)
      for (let part = 0; part < parts; part++)
        to[pixel * parts + part] = from[at * parts + part] ?? 0;
  return { width, height, channels, data };
}

/** Views pixels of four bytes as 32-bit numbers, which can be moved four times as fast. */
function whole(data: Uint8Array, channels: number): Uint8Array | Uint32Array {
  if (channels !== 4 || data.byteOffset % 4 !== 0) return data;
  return new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}
