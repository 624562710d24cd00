import { endOfString } from "./json-budget.ts";

/** What may begin a string or a long integer. */
const QUOTE_OR_DIGITS = /"|\d{16,}/g;
/** What stands before an integer, and after it. */
const [BEFORE, AFTER] = [/[[,:\s]/, /\s*(?:[\],}]|$)/y];

/**
 * JSON with bigints. A reviver is asked about every value, which takes 50 times as long over long arrays. So long
 * integers become strings first, which no client can send: each begins with a mark that nobody knows.
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
    // JSON has no number with zeros before it: its reader says so.
    if (token.startsWith("0")) continue;
    pieces.push(text.slice(done, start), `"${mark}${text.slice(start, end)}"`);
    done = end;
  }
  if (pieces.length === 0) return JSON.parse(text);
  let marked: unknown;
  try {
    marked = JSON.parse(pieces.join("") + text.slice(done));
  } catch {
    // The message is about the text as it came.
    return JSON.parse(text);
  }
  return withBigints(marked, mark);
}

/** The value, in which bigints have taken the place of the strings with the mark. */
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

/** Sets a member, also one that is called `__proto__`. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
