import { createBreaker } from "../breaker.ts";
import type { Limiter } from "../../limits/limiter.ts";
import type { Platform } from "../types.ts";
import { createMemoryLimiter } from "../../limits/memory-limiter.ts";

/**
 * Uses the limiter that instances share. While it cannot be reached, each instance counts for itself and logs that.
 * Requests go on, but all instances together then let through a multiple of the limit.
 */
export function withFallback(shared: Limiter, log: Platform["log"]): Limiter {
  const own = createMemoryLimiter();
  const attempt = createBreaker((error) =>
    log({
      level: "error",
      message: "rate limiter out of reach: each instance counts for itself",
      error: String(error),
    }),
  );
  return {
    async take(key, cost, rate) {
      const taken = await attempt(async () => shared.take(key, cost, rate));
      return taken ? taken.value : own.take(key, cost, rate);
    },
  };
}
