import { createBreaker } from "../breaker.ts";
import type { Limiter } from "../../limits/limiter.ts";
import type { Platform } from "../types.ts";
import { createMemoryLimiter } from "../../limits/memory-limiter.ts";

/**
 * A limiter that instances share; while it cannot be reached each instance counts for itself, and says so
 * in the log: requests go on, with a limit that is so many times looser.
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
