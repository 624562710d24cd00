import { NearcastError } from "../errors.ts";

// ECMAScript 2026 (source text access), not yet in TypeScript's library.
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const exactJson = JSON as unknown as ExactJson;

/**
 * Reads JSON. Where a 64-bit datatype is named, integers above 2^53 become bigints and keep every digit;
 * the reviver that this takes is slow over long arrays, hence the look for the name. Throws `malformed_json`.
 */
export function parseJson(bytes: Uint8Array, options: { exact: boolean }): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return options.exact ? exactJson.parse(text, keepDigits) : JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unknown reason";
    throw new NearcastError("malformed_json", `The body is not JSON: ${reason}`, { cause });
  }
}

/** A number that `JSON.stringify` writes with these very digits. */
export function rawNumber(digits: string): unknown {
  return exactJson.rawJSON(digits);
}

function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined)
    return value;
  return /^-?\d{16,20}$/.test(source) ? BigInt(source) : value;
}
