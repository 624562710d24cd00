import { Unzlib } from "fflate";
import { concatenate } from "../../concatenate.ts";
import { readExif, readXmp } from "./orientation.ts";

/** A part of a PNG. */
export interface PngChunk {
  type: string;
  data: Uint8Array;
}

/** EXIF has at most 64 KiB, and twice as many characters in hexadecimal. */
const MOST_TEXT_BYTES = 160 * 1024;
/** Input bytes of one step. Deflate expands about a thousandfold, so that a step makes at most 1 MiB. */
const INFLATE_STEP_BYTES = 1024;

const [EXIF_TEXT, XMP_TEXT] = ["Raw profile type exif", "XML:com.adobe.xmp"];

/**
 * The orientation of a PNG. EXIF is in a chunk of its own, or in a text in hexadecimal, as ImageMagick writes it. XMP
 * is a text too.
 */
export function orientationOfPng(chunks: readonly PngChunk[]): number {
  const exif = chunks.find(({ type }) => type === "eXIf")?.data ?? exifOfText(chunks);
  const found = exif && readExif(exif);
  if (found !== undefined) return found;
  const xmp = textOf(chunks, XMP_TEXT);
  return (xmp && readXmp(xmp)) ?? 1;
}

/** Reads ImageMagick's text: a line with the kind of data, a line with its length, and lines of hexadecimal digits. */
function exifOfText(chunks: readonly PngChunk[]): Uint8Array | undefined {
  const text = textOf(chunks, EXIF_TEXT);
  if (!text) return undefined;
  const digits = new TextDecoder()
    .decode(text)
    .split("\n")
    .slice(3)
    .join("")
    .match(/[\da-f]{2}/gi);
  return digits ? Uint8Array.from(digits, (pair) => parseInt(pair, 16)) : undefined;
}

/** The text of a keyword (PNG, section 11.3.4). */
function textOf(chunks: readonly PngChunk[], keyword: string): Uint8Array | undefined {
  for (const { type, data } of chunks) {
    const end = data.indexOf(0);
    if (!["tEXt", "zTXt", "iTXt"].includes(type)) continue;
    if (new TextDecoder().decode(data.subarray(0, end)) !== keyword) continue;
    if (type === "tEXt") return data.subarray(end + 1);
    if (type === "zTXt") return inflated(data.subarray(end + 2));
    // Skips a flag, a method, a language and the keyword in that language.
    const language = data.indexOf(0, end + 3);
    const text = data.subarray(data.indexOf(0, language + 1) + 1);
    return data[end + 1] === 1 ? inflated(text) : text;
  }
  return undefined;
}

/** Inflates as much as possible, up to the most that is needed. */
function inflated(data: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const inflator = new Unzlib((part) => void parts.push(part));
  try {
    for (let at = 0; at < data.length; at += INFLATE_STEP_BYTES) {
      inflator.push(data.subarray(at, at + INFLATE_STEP_BYTES));
      if (parts.reduce((size, part) => size + part.length, 0) >= MOST_TEXT_BYTES) break;
    }
  } catch {
    // The data is damaged. The part before the damage may be enough.
  }
  return concatenate(parts);
}
