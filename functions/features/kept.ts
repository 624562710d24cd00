import { LRUCache } from "lru-cache";
import { ageOf } from "../age.ts";
import type { FeatureRow } from "./source.ts";

const MOST_ENTITIES = 20_000;
const MOST_BYTES = 8 * 1024 * 1024;
/** About what an entry takes beside its texts, and each of its values. */
const ENTRY_BYTES = 200;
const VALUE_BYTES = 48;

/** Rows that were read a moment ago, in this instance: bounded in number and in bytes. */
export interface KeptRows {
  /** The row, unless it was read longer ago than that. */
  get(key: string, seconds: number): FeatureRow | undefined;
  set(key: string, row: FeatureRow): void;
}

export function createKeptRows(): KeptRows {
  const rows = new LRUCache<string, { row: FeatureRow; readAt: number }>({
    max: MOST_ENTITIES,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ row }, key) => bytesOf(row) + 2 * key.length,
  });
  return {
    get(key, seconds) {
      const kept = rows.get(key);
      return kept && ageOf(kept.readAt) < seconds * 1000 ? kept.row : undefined;
    },
    set: (key, row) => void rows.set(key, { row, readAt: Date.now() }),
  };
}

function bytesOf(row: FeatureRow): number {
  let bytes = ENTRY_BYTES;
  for (const known of row) {
    bytes += VALUE_BYTES;
    if (typeof known?.value === "string") bytes += 2 * known.value.length;
  }
  return bytes;
}
