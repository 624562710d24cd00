import type { Redis } from "../redis.ts";
import type { Limiter } from "../../limits/limiter.ts";

/** What is given back may arrive this much later: a window that ends sooner is left as it is. */
const GIVE_BACK_MS = 1000;

/**
 * Exact across all that share the Redis (2.6.12 or later). A window begins with the key's first unit and is
 * fixed, so that across the border of two windows twice the limit can pass. Its end is Redis's own: the
 * clocks of the instances are of no matter.
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
        // A transaction: one round trip, and no key is ever left without its end.
        const [, used, left] = await client
          .multi()
          .set(name, 0, window)
          .incrBy(name, cost)
          .pTTL(name)
          .execTyped();
        const allowed = used <= limit;
        const before = used - cost;
        // Where something was left, a smaller request still has a right to it.
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
