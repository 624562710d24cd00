import { LRUCache } from "lru-cache";
import type { PredictionCache } from "../types.ts";

/** Keeps answers in this process. Drops the least recently used when all take more than `maxBytes`. */
export function createMemoryCache(maxBytes: number): PredictionCache {
  const entries = new LRUCache<string, Uint8Array>({
    maxSize: maxBytes,
    sizeCalculation: (bytes, key) => bytes.byteLength + key.length,
  });
  return {
    get: (key) => entries.get(key),
    put(key, bytes, ttlSeconds) {
      entries.set(key, bytes, { ttl: ttlSeconds * 1000 });
    },
  };
}
