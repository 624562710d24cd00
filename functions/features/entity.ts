import type { InputIssues } from "../errors.ts";
import type { LookupKey } from "../model/feature-lookup.ts";
import type { EntityKeys } from "./source.ts";

/** Cloudflare KV takes keys of 512 bytes, and the source's own name is in them. */
const LONGEST_ID = 400;
/** Most ids need no encoding. */
const PLAIN = /^[\w.~-]*$/;

/**
 * One text for an entity, the same wherever it is written or read: `customer_id=42`, with several keys sorted by name
 * and joined by `&`. Names and values are percent-encoded, so that no value can reach beyond its place.
 */
export function entityId(keys: EntityKeys): string {
  const names = Object.keys(keys);
  if (names.length > 1) names.sort();
  let id = "";
  for (const name of names) id += `${id && "&"}${encoded(name)}=${encodedValue(keys[name])}`;
  return id;
}

/** Reads the id of an input's entity. Adds what is wrong with its keys to `issues`, and then gives nothing. */
export function readEntityId(
  row: Readonly<Record<string, unknown>>,
  keys: readonly LookupKey[],
  path: string,
  issues: InputIssues,
): string | undefined {
  let isRight = true;
  for (const { name, type } of keys) {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    const message = value === undefined ? "is missing" : problemWith(value, type);
    if (message === undefined) continue;
    issues.push({ path: `${path}.${name}`, message });
    isRight = false;
  }
  if (!isRight) return undefined;
  const [only, ...others] = keys;
  // Without an object for the keys, in which thousands of inputs would take as long as the run.
  const id =
    only && others.length === 0
      ? `${encoded(only.name)}=${encodedValue(row[only.name])}`
      : entityId(keysOf(row, keys));
  if (id.length <= LONGEST_ID) return id;
  const names = keys.map(({ name }) => name).join(", ");
  issues.push({ path, message: `has keys that are too long: ${names}` });
  return undefined;
}

/** The keys of an input whose id could be read. */
export function keysOf(
  row: Readonly<Record<string, unknown>>,
  keys: readonly LookupKey[],
): EntityKeys {
  const own: Record<string, string | number> = {};
  for (const { name } of keys) own[name] = row[name] as string | number;
  return own;
}

function problemWith(value: unknown, type: LookupKey["type"]): string | undefined {
  if (type === "integer")
    return Number.isSafeInteger(value) ? undefined : "must be an integer, of at most 2^53";
  if (typeof value !== "string" || value === "") return "must be a text, and not empty";
  return value.isWellFormed() ? undefined : "must be well-formed Unicode";
}

function encodedValue(value: unknown): string {
  return typeof value === "number" ? String(value) : encoded(String(value));
}

function encoded(text: string): string {
  return PLAIN.test(text) ? text : encodeURIComponent(text);
}
