import { NearcastError } from "../errors.ts";
import { rawNumber } from "./raw-number.ts";
import { decodeText } from "./text.ts";

// ECMAScript 2026 (source text access), not yet in TypeScript's library.
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
}

const exactJson = JSON as unknown as ExactJson;

/** Finds where a number may begin that has 16 digits or more and no point before them. */
const LONG_INTEGER = /[[,:\s-]\d{16}/;

/**
 * Reads JSON. With `exact`, for models that have a 64-bit datatype, integers above 2^53 become bigints and keep
 * every digit. The reviver that this takes is 50 times slower over long arrays, hence the look for long integers.
 * Throws `malformed_json`, and `malformed_request` for bytes that are not UTF-8.
 */
export function parseJson(bytes: Uint8Array, options: { exact: boolean }): unknown {
  const parse = (text: string): unknown =>
    options.exact && LONG_INTEGER.test(text) ? exactJson.parse(text, keepDigits) : JSON.parse(text);
  return read("The body", decodeText(bytes, { what: "The body" }), parse);
}

/** Reads JSON from text that messages call `what`. Throws `malformed_json`. */
export function parseJsonText(text: string, what: string): unknown {
  return read(what, text, JSON.parse);
}

/** The words that Python's `json.dumps` writes for numbers that JSON does not have. */
const NOT_FINITE = /[[,:]\s*(NaN|-?Infinity)\s*[\],}]/;

function read(what: string, text: string, parse: (text: string) => unknown): unknown {
  try {
    checkDepth(text);
    return parse(text);
  } catch (cause) {
    const [, number] = NOT_FINITE.exec(text) ?? [];
    const reason = number
      ? `JSON has no ${number}; write it as the string "${number}"${number === "NaN" ? ", or null for a missing value" : ""}`
      : cause instanceof Error
        ? cause.message
        : "unknown reason";
    throw new NearcastError("malformed_json", `${what} is not JSON: ${reason}`, { cause });
  }
}

/** Far more than any tensor's rank. Code that walks down a value must not run out of stack. */
const MAX_DEPTH = 64;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Throws an Error when arrays and objects are nested deeper than {@link MAX_DEPTH}. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new RangeError(`arrays and objects are nested deeper than ${MAX_DEPTH}`);
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth -= 1;
  }
}

/** The end of the string that begins at `start`. The end of the text if the string does not end. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** JSON's arrays with every -0 in them as {@link writeJson} keeps it. The same arrays when there is none. */
export function withSignedZeros(value: unknown): unknown {
  if (value === 0) return Object.is(value, -0) ? rawNumber("-0.0") : value;
  if (typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, withSignedZeros(item)]),
    );
  let copy: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const signed = withSignedZeros(value[index]);
    if (signed !== value[index]) (copy ??= [...(value as unknown[])])[index] = signed;
  }
  return copy ?? value;
}

/** Without a source, as on Node 20, the number stays as it was read, and is refused where it must be exact. */
function keepDigits(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined)
    return value;
  return /^-?\d{16,20}$/.test(source) ? BigInt(source) : value;
}
