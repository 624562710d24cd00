import { endOfString } from "./json-budget.ts";

/** The beginning of a string, or a possible long integer. */
const QUOTE_OR_DIGITS = /"|\d{16,}/g;
/** The characters before an integer, and after it. */
const [BEFORE, AFTER] = [/[[,:\s]/, /\s*(?:[\],}]|$)/y];

/**
 * Reads JSON with bigints. A reviver would be called for every value and take 50 times as long for long arrays. So long
 * integers first become strings that no client can send: each begins with a random mark.
 */
export function parseExactly(text: string): unknown {
  const mark = crypto.randomUUID();
  const pieces: string[] = [];
  let done = 0;
  QUOTE_OR_DIGITS.lastIndex = 0;
  for (let found = QUOTE_OR_DIGITS.exec(text); found; found = QUOTE_OR_DIGITS.exec(text)) {
    const { index } = found;
    const [token] = found;
    if (token === '"') {
      QUOTE_OR_DIGITS.lastIndex = endOfString(text, index) + 1;
      continue;
    }
    const start = text[index - 1] === "-" ? index - 1 : index;
    const end = index + token.length;
    AFTER.lastIndex = end;
    const isInteger = BEFORE.test(text[start - 1] ?? " ") && AFTER.test(text);
    if (!isInteger || token.length > 20 || Number.isSafeInteger(Number(token))) continue;
    // JSON allows no zeros before a number. Its parser will report that.
    if (token.startsWith("0")) continue;
    pieces.push(text.slice(done, start), `"${mark}${text.slice(start, end)}"`);
    done = end;
  }
  if (pieces.length === 0) return JSON.parse(text);
  let marked: unknown;
  try {
    marked = JSON.parse(pieces.join("") + text.slice(done));
  } catch {
    // Parses the original text, so that the message is about it.
    return JSON.parse(text);
  }
  return withBigints(marked, mark);
}

/** The value with bigints in place of the marked strings. */
function withBigints(value: unknown, mark: string): unknown {
  if (typeof value === "string")
    return value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (typeof item !== "number") value[index] = withBigints(item, mark);
    }
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    const item = object[key];
    const read = withBigints(item, mark);
    if (read !== item) define(object, key, read);
  }
  return object;
}

/** Sets a member even if its name is `__proto__`. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
