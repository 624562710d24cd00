import { LRUCache } from "lru-cache";
import { ageOf } from "../age.ts";
import type { Entity } from "./plan.ts";

const MOST_ENTITIES = 20_000;
const MOST_BYTES = 8 * 1024 * 1024;
/** About what an entry takes beside its texts, and each of its values. */
const ENTRY_BYTES = 200;
const VALUE_BYTES = 48;

/** Entities that were read a moment ago, in this instance: bounded in number and in bytes. */
export interface KeptEntities {
  /** The entity, unless it was read longer ago than that. */
  get(key: string, seconds: number): Entity | undefined;
  set(key: string, entity: Entity): void;
}

export function createKeptEntities(): KeptEntities {
  const entities = new LRUCache<string, { entity: Entity; readAt: number }>({
    max: MOST_ENTITIES,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ entity }, key) => bytesOf(entity) + 2 * key.length,
  });
  return {
    get(key, seconds) {
      const kept = entities.get(key);
      return kept && ageOf(kept.readAt) < seconds * 1000 ? kept.entity : undefined;
    },
    set: (key, entity) => void entities.set(key, { entity, readAt: Date.now() }),
  };
}

function bytesOf({ row }: Entity): number {
  let bytes = ENTRY_BYTES;
  for (const known of row) {
    bytes += VALUE_BYTES;
    if (typeof known?.value === "string") bytes += 2 * known.value.length;
  }
  return bytes;
}
