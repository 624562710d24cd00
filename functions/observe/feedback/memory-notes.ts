import { LRUCache } from "lru-cache";
import type { Notes } from "./notes.ts";

/** A note takes about 300 bytes. */
const MOST_NOTES = 50_000;

/** Keeps notes in this process: the last fifty thousand. */
export function createMemoryNotes(): Notes {
  const notes = new LRUCache<string, string>({ max: MOST_NOTES });
  return {
    async put(key, text, keptSeconds) {
      notes.set(key, text, { ttl: keptSeconds * 1000 });
    },
    get: async (key) => notes.get(key),
    async replace(key, text, next, keptSeconds) {
      if (notes.get(key) !== text) return false;
      notes.set(key, next, { ttl: keptSeconds * 1000 });
      return true;
    },
    delete: async (key) => notes.delete(key),
  };
}
