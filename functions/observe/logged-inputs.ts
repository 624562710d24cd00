import type { Manifest } from "../model/manifest.ts";

const MOST_ITEMS = 20;
const LONGEST_TEXT = 200;
const DEEPEST = 4;

/**
 * The inputs for the access log. Undefined, unless the manifest turns their logging on. Leaves out the values that the
 * manifest names, and shortens the rest so that the line stays short. Gives values by position in a tabular row their
 * names first.
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
      // A row with a missing value, or with an object instead of a number, must not reveal the others.
      if (names && value.some((item) => typeof item !== "object" || item === null))
        return shown(
          Object.fromEntries(
            value.slice(0, MOST_ITEMS).map((item, index) => [names[index] ?? `${index}`, item]),
          ),
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
