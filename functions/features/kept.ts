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
  // It takes half a MiB while it is empty, and most services look up nothing.
  let entities: ReturnType<typeof createCache> | undefined;
  return {
    get(key, seconds) {
      const kept = entities?.get(key);
      return kept && ageOf(kept.readAt) < seconds * 1000 ? kept.entity : undefined;
    },
    set(key, entity) {
      if (!entity.row.values.every(isPlain)) return;
      entities ??= createCache();
      entities.set(key, { entity, readAt: Date.now() });
    },
  };
}

function createCache() {
  return new LRUCache<string, { entity: Entity; readAt: number }>({
    max: MOST_ENTITIES,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ entity }, key) => bytesOf(entity) + 2 * key.length,
  });
}

/** No feature is a list or an object, and nobody knows how many bytes one takes. */
function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function bytesOf({ row }: Entity): number {
  let bytes = ENTRY_BYTES;
  for (const value of row.values) {
    bytes += VALUE_BYTES;
    if (typeof value === "string") bytes += 2 * value.length;
  }
  return bytes;
}
