import { createBreaker } from "../breaker.ts";
import type { Platform, PredictionCache } from "../types.ts";

/**
 * Wraps a cache over the network so that it never fails. While it cannot be reached, it acts as empty and the log says
 * so.
 */
export function withoutFailures(shared: PredictionCache, log: Platform["log"]): PredictionCache {
  const attempt = createBreaker((error) =>
    log({ level: "warn", message: "prediction cache out of reach", error: String(error) }),
  );
  return {
    get: async (key) => (await attempt(async () => shared.get(key)))?.value,
    async put(key, bytes, ttlSeconds) {
      await attempt(async () => shared.put(key, bytes, ttlSeconds));
    },
  };
}
