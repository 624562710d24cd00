import type { Redis } from "../redis.ts";
import type { Limiter } from "../../limits/limiter.ts";

/** Giving units back may take this long. If the window ends sooner, nothing is given back. */
const GIVE_BACK_MS = 1000;

/**
 * Counts exactly for all instances that share the Redis (2.6.12 or later). A window begins with the key's first unit
 * and has a fixed length. Up to twice the limit can pass around the border of two windows. Redis ends the window, so
 * the instances' clocks do not matter.
 */
export function createRedisLimiter(redis: Redis): Limiter {
  return {
    take: (key, cost, { limit, windowSeconds }) =>
      redis(async (client) => {
        const name = `nearcast:rate:${key}`;
        const window = {
          condition: "NX",
          expiration: { type: "PX", value: windowSeconds * 1000 },
        } as const;
        // A transaction takes one round trip, and no key is ever left without an expiry.
        const [, used, left] = await client
          .multi()
          .set(name, 0, window)
          .incrBy(name, cost)
          .pTTL(name)
          .execTyped();
        const allowed = used <= limit;
        const before = used - cost;
        // Gives the units back: a smaller request may still fit.
        if (!allowed && before < limit && left > GIVE_BACK_MS)
          await client.multi().set(name, 0, window).decrBy(name, cost).exec();
        return {
          allowed,
          remaining: Math.max(0, limit - (allowed ? used : before)),
          resetSeconds: Math.max(1, Math.ceil(left / 1000)),
        };
      }),
  };
}
