import type { MiddlewareHandler } from "hono";
import { NearcastError } from "../../errors.ts";
import { addressKey } from "../../limits/address.ts";
import { createMemoryLimiter } from "../../limits/memory-limiter.ts";
import { rateLimited } from "../../limits/quota.ts";
import type { Rate } from "../../limits/rate.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

/**
 * Counts the requests that authentication refused, by client address and in this instance: an address that
 * has had as many as the rate allows gets no more tries, with right keys or wrong, until its window
 * ends. It goes before authentication. Rejects with `rate_limited`.
 */
export function limitGuesses(
  platform: Pick<Platform, "clientAddress">,
  rate: Rate,
): MiddlewareHandler<AppEnv> {
  const refusals = createMemoryLimiter();
  return async function limitGuesses(c, next) {
    const key = addressKey(platform.clientAddress(c));
    const left = refusals.peek(key, rate);
    if (left.remaining === 0) throw rateLimited({ ...left, policy: "caller", key, rate }, 1);
    await next();
    if (c.error instanceof NearcastError && c.error.code === "unauthorized")
      refusals.take(key, 1, rate);
  };
}
