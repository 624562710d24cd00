import { unreadableRow } from "./row.ts";
import type { FeatureRow, StoredFeatures } from "./source.ts";

/** An entity's features as sources of keys and values have them: JSON. */
interface StoredRecord {
  at?: number;
  values: Readonly<Record<string, unknown>>;
}

/** The JSON of an entity's features: `{"at": 1767225600000, "values": {"avg_spend": 12.5}}`. */
export function writeRecord({ values, at }: Pick<StoredFeatures, "values" | "at">): string {
  return JSON.stringify(recordOf({ values, at }));
}

export function recordOf({ values, at }: Pick<StoredFeatures, "values" | "at">): StoredRecord {
  return { ...(at !== undefined && { at }), values };
}

/** Reads what {@link writeRecord} wrote. Anything else is an unreadable row: it must not spoil those of others. */
export function readRecord(text: string, names: readonly string[]): FeatureRow {
  return rowOf(readJson(text), names);
}

/** Undefined for what is no JSON. The error of `JSON.parse` is not kept: it quotes what is stored. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function rowOf(record: unknown, names: readonly string[]): FeatureRow {
  const { at, values } = (record ?? {}) as Partial<StoredRecord>;
  const isRecord = typeof values === "object" && values !== null && !Array.isArray(values);
  if (!isRecord || (at !== undefined && !Number.isFinite(at))) return unreadableRow(names);
  const row: unknown[] = [];
  for (const name of names) row.push(Object.hasOwn(values, name) ? values[name] : undefined);
  return { values: row, at };
}
