// ECMAScript 2026 (JSON.parse source text access): in Node 22, workerd and browsers, not in Node 20.
const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };

/**
 * Marks a string as a number where there is no `JSON.rawJSON`. It is random, so that no client can send it. workerd
 * allows no random values while a Worker starts, but has `JSON.rawJSON`.
 */
const MARK = rawJSON ? "" : `${crypto.randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?[\\d.]+)"`, "g");

/** A number that {@link writeJson} writes with exactly these digits. */
export function rawNumber(digits: string): unknown {
  return rawJSON ? rawJSON(digits) : MARK + digits;
}

/** `JSON.stringify`, for values that may have a {@link rawNumber} in them. */
export function writeJson(value: unknown): string {
  const text = JSON.stringify(value);
  return rawJSON ? text : text.replaceAll(MARKED, "$1");
}
