import { NearcastError } from "../errors.ts";

/**
 * The charsets that `TextDecoder` reads in the same way on every platform, by the names of the Encoding Standard.
 * Charsets of Chinese, Japanese and Korean are left out: workerd and Node differ for some of their bytes.
 */
const CHARSETS = new Set([
  "utf-8",
  "utf-16le",
  "utf-16be",
  "macintosh",
  "koi8-r",
  "koi8-u",
  "ibm866",
  ...[2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16].map((part) => `iso-8859-${part}`),
  ...[874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => `windows-${page}`),
]);

const UTF_8 = "utf-8";

/** Keeps nothing from one text to the next. To make one takes as long as to read a short text. */
const utf8 = new TextDecoder(UTF_8, { fatal: true });

const REMEDY = "Send UTF-8, or name the charset in the Content-Type: charset=iso-8859-1.";

interface TextOptions {
  /** The name of the text in messages, such as `The body`. */
  what: string;
  /** The charset that was declared. UTF-8 when absent. */
  charset?: string | undefined;
  /** What the sender can do about bytes that do not fit the charset. */
  remedy?: string;
}

/**
 * Reads text from bytes, without the byte order mark. A byte order mark of UTF-16 overrides the charset. Never replaces
 * a byte: throws `malformed_request` for bytes that do not fit the charset, and `unsupported_media_type` for an unknown
 * charset.
 */
export function decodeText(bytes: Uint8Array, options: TextOptions): string {
  const { what, charset = UTF_8, remedy = REMEDY } = options;
  const encoding = markedEncoding(bytes) ?? encodingOf(charset, what);
  try {
    const decoder = encoding === UTF_8 ? utf8 : new TextDecoder(encoding, { fatal: true });
    return decoder.decode(bytes);
  } catch {
    throw new NearcastError("malformed_request", `${problemOf(bytes, encoding, what)} ${remedy}`);
  }
}

/** The encoding that a byte order mark names. Undefined if there is none, or UTF-8's. */
export function markedEncoding([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

function encodingOf(charset: string, what: string): string {
  if (charset === UTF_8) return UTF_8;
  // Reads ASCII as UTF-8, which includes it. The Encoding Standard reads it as windows-1252 and so guesses other bytes.
  if (/^(us-)?ascii$/i.test(charset)) return UTF_8;
  let encoding: string | undefined;
  try {
    ({ encoding } = new TextDecoder(charset));
  } catch {
    // The charset is unknown.
  }
  if (encoding !== undefined && CHARSETS.has(encoding)) return encoding;
  throw new NearcastError(
    "unsupported_media_type",
    `${what} is in the charset ${charset.slice(0, 40)}, which is not read here. Send UTF-8.`,
  );
}

function problemOf(bytes: Uint8Array, encoding: string, what: string): string {
  if (encoding !== UTF_8) return `${what} is not ${encoding}, though it says so.`;
  // Finds the first byte that decoding with replacements would change.
  const replaced = new TextEncoder().encode(
    new TextDecoder(UTF_8, { ignoreBOM: true }).decode(bytes),
  );
  const found = bytes.findIndex((byte, index) => byte !== replaced[index]);
  const at = found === -1 ? bytes.byteLength - 1 : found;
  const byte = (bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0");
  const line = bytes.subarray(0, at).reduce((count, value) => count + (value === 10 ? 1 : 0), 1);
  return `${what} is not UTF-8: byte ${at} (0x${byte}, on line ${line}) does not fit.`;
}
