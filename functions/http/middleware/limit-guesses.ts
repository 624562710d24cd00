import type { MiddlewareHandler } from "hono";
import { NearcastError } from "../../errors.ts";
import { addressKey } from "../../limits/address.ts";
import { createMemoryLimiter } from "../../limits/memory-limiter.ts";
import { rateLimited } from "../../limits/quota.ts";
import type { Rate } from "../../limits/rate.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

/**
 * Counts refused credentials by client address, in this instance. An address that has used up the rate gets no
 * more tries until its window ends, not even with a right key. It stands before authentication. Rejects with
 * `rate_limited`.
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
