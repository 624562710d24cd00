import type { Manifest } from "../model/manifest.ts";

const MOST_ITEMS = 20;
const LONGEST_TEXT = 200;
const DEEPEST = 4;

/**
 * What the access log says of inputs: nothing, unless the manifest has them logged, and then without the
 * values it names, shortened so that a line stays a line. A tabular row given by position is named first.
 */
export function loggedInputs({ logging, features }: Manifest, inputs: unknown): unknown {
  if (!logging) return undefined;
  const hidden = new Set(logging.redact);
  const names = features?.map(({ name }) => name);

  function shown(value: unknown, depth: number): unknown {
    if (typeof value === "string")
      return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`;
    if (depth === DEEPEST) return "…";
    if (Array.isArray(value)) {
      // One that is missing, or an object where a number should be, must not show the others.
      if (names && value.some((item) => typeof item !== "object" || item === null))
        return shown(
          Object.fromEntries(value.map((item, index) => [names[index] ?? `${index}`, item])),
          depth,
        );
      return value.slice(0, MOST_ITEMS).map((item) => shown(item, depth + 1));
    }
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, MOST_ITEMS)
        .map(([name, item]) => [name, hidden.has(name) ? "(redacted)" : shown(item, depth + 1)]),
    );
  }
  return shown(inputs, 0);
}
