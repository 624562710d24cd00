/** The formats that can be decoded. Their decoders are WASM. */
export type ImageFormat = "jpeg" | "png" | "webp";

/** Loads the compiled decoder of a format. Each platform has it in another place; {@link DECODER_FILES} names it. */
export type LoadDecoder = (format: ImageFormat) => Promise<WebAssembly.Module>;

/** The decoders' files in their packages. */
export const DECODER_FILES: Readonly<Record<ImageFormat, string>> = {
  jpeg: "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm",
  png: "@jsquash/png/codec/pkg/squoosh_png_bg.wasm",
  webp: "@jsquash/webp/codec/dec/webp_dec.wasm",
};

/** First bytes of formats that are not supported, so that a refusal can name them. */
const OTHERS: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ["a GIF", 0, "GIF8"],
  ["a BMP", 0, "BM"],
  ["a TIFF", 0, "II*\0"],
  ["a TIFF", 0, "MM\0*"],
  ["an AVIF", 4, "ftypavif"],
  ["an AVIF", 4, "ftypavis"],
  ["a HEIC", 4, "ftyphei"],
  ["a HEIC", 4, "ftypmif1"],
  ["a JPEG 2000", 4, "jP  "],
  ["a JPEG XL", 0, "\xff\x0a"],
  ["a JPEG XL", 4, "JXL "],
  ["a PDF", 0, "%PDF"],
];

/** The format by the first bytes. Throws a RangeError for any other format, and names it where it is known. */
export function formatOf(bytes: Uint8Array): ImageFormat {
  if (hasText(bytes, 0, "\xff\xd8\xff")) return "jpeg";
  if (hasText(bytes, 0, "\x89PNG\r\n\x1a\n")) return "png";
  if (hasText(bytes, 0, "RIFF") && hasText(bytes, 8, "WEBP")) return "webp";
  const [name] = OTHERS.find(([, offset, magic]) => hasText(bytes, offset, magic)) ?? [];
  if (name === undefined) throw new RangeError("must be a JPEG, PNG or WebP image");
  const kind = name === "a PDF" ? "file" : "image";
  throw new RangeError(`is ${name} ${kind}; send it as JPEG, PNG or WebP`);
}

/** Whether the bytes at `offset` are these characters, one byte each. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  for (let at = 0; at < text.length; at++)
    if (bytes[offset + at] !== text.charCodeAt(at)) return false;
  return true;
}
