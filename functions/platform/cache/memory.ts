import { LRUCache } from "lru-cache";
import type { PredictionCache } from "../types.ts";

/**
 * What an entry takes beside its bytes and its key: the buffer's objects on the heap and off it, and its place in the
 * table. Measured with a hundred thousand entries: some 400 bytes of heap, and what the system takes for a small
 * allocation.
 */
const ENTRY_OVERHEAD_BYTES = 600;

/**
 * Keeps answers in this process. Drops the least recently used when all take more than `maxBytes` of memory, with all
 * that it takes to keep them.
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
