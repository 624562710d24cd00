import { NearcastError } from "../errors.ts";
import { checkBudget } from "./json-budget.ts";
import { parseExactly } from "./exact-json.ts";
import { rawNumber } from "./raw-number.ts";
import { decodeText } from "./text.ts";

/** Finds where a number may begin that has 16 digits or more and no point before them. */
const LONG_INTEGER = /[[,:\s-]\d{16}/;

/**
 * Reads JSON. With `exact`, for models that have a 64-bit datatype, integers above 2^53 become bigints and keep
 * every digit. Throws `malformed_json`, `malformed_request` for bytes that are not UTF-8, and `body_too_large` as
 * {@link checkBudget} does.
 */
export function parseJson(bytes: Uint8Array, options: { exact: boolean }): unknown {
  const parse = (text: string): unknown =>
    options.exact && LONG_INTEGER.test(text) ? parseExactly(text) : JSON.parse(text);
  return read("The body", decodeText(bytes, { what: "The body" }), parse);
}

/** Reads JSON from text. Messages call the text `what`. Throws as {@link parseJson} does. */
export function parseJsonText(text: string, what: string): unknown {
  return read(what, text, JSON.parse);
}

/** The words that Python's `json.dumps` writes for numbers that JSON does not have. */
const NOT_FINITE = /[[,:]\s*(NaN|-?Infinity)\s*[\],}]/;

function read(what: string, text: string, parse: (text: string) => unknown): unknown {
  try {
    checkBudget(text, what);
    return parse(text);
  } catch (cause) {
    if (cause instanceof NearcastError) throw cause;
    const [, number] = NOT_FINITE.exec(text) ?? [];
    const reason = number
      ? `JSON has no ${number}; write it as the string "${number}"${number === "NaN" ? ", or null for a missing value" : ""}`
      : cause instanceof Error
        ? cause.message
        : "unknown reason";
    throw new NearcastError("malformed_json", `${what} is not JSON: ${reason}`, { cause });
  }
}

/** A value in which {@link writeJson} keeps the sign of every -0. The same value when it has none. */
export function withSignedZeros(value: unknown): unknown {
  if (value === 0) return Object.is(value, -0) ? rawNumber("-0.0") : value;
  if (typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value)) return signedMembers(value as Record<string, unknown>);
  let copy: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const signed = withSignedZeros(value[index]);
    if (signed !== value[index]) (copy ??= [...(value as unknown[])])[index] = signed;
  }
  return copy ?? value;
}

function signedMembers(members: Record<string, unknown>): unknown {
  for (const key in members)
    if (withSignedZeros(members[key]) !== members[key])
      return Object.fromEntries(
        Object.entries(members).map(([name, item]) => [name, withSignedZeros(item)]),
      );
  return members;
}
