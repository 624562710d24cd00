import type { Redis } from "../redis.ts";
import type { PredictionCache } from "../types.ts";

/** The code of `$`, which marks a reply of bytes in the protocol. The client reads it as bytes, not as text. */
const BLOB_STRING = 36;

/** Keeps answers in Redis. All instances share them. */
export function createRedisCache(redis: Redis): PredictionCache {
  return {
    get: (key) =>
      redis(async (client) => {
        const found = await client.withTypeMapping({ [BLOB_STRING]: Buffer }).get(nameOf(key));
        return found ?? undefined;
      }),
    put: (key, bytes, ttlSeconds) =>
      redis(async (client) => {
        const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        await client.set(nameOf(key), value, { expiration: { type: "EX", value: ttlSeconds } });
      }),
  };
}

function nameOf(key: string): string {
  return `nearcast:prediction:${key}`;
}
