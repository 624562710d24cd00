import { LRUCache } from "lru-cache";
import type { PredictionCache } from "../types.ts";

/** Answers in this process, the least recently used dropped when they add up to more than `maxBytes`. */
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
