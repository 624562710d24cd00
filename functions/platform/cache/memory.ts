import { LRUCache } from "lru-cache";
import type { PredictionCache } from "../types.ts";

/**
 * The memory of an entry without its bytes and its key: the buffer's objects and a place in the table. With a hundred
 * thousand entries it measured about 400 bytes of heap each, plus the cost of a small allocation outside the heap.
 */
const ENTRY_OVERHEAD_BYTES = 600;

/**
 * Keeps answers in this process. Drops the least recently used ones when all together, overhead included, take more
 * than `maxBytes` of memory.
 */
export function createMemoryCache(maxBytes: number): PredictionCache {
  const entries = new LRUCache<string, Uint8Array>({
    // The library refuses 0.
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: (bytes, key) => bytes.byteLength + key.length + ENTRY_OVERHEAD_BYTES,
  });
  return {
    get: (key) => entries.get(key),
    put(key, bytes, ttlSeconds) {
      entries.set(key, bytes, { ttl: ttlSeconds * 1000 });
    },
  };
}
