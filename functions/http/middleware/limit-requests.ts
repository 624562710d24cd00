import type { MiddlewareHandler } from "hono";
import { ANYONE, NOBODY, type Caller } from "../../auth/caller.ts";
import { addressKey } from "../../limits/address.ts";
import { quotaHeaders, rateLimited } from "../../limits/quota.ts";
import type { Taken } from "../../limits/limiter.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

/**
 * Takes one unit of the caller's rate for every request, before its body is read. Where everyone may ask, it counts by
 * client address. Health comes before it and is never limited: probes decide whether this instance lives. Rejects with
 * `rate_limited`.
 */
export function limitRequests(
  platform: Pick<Platform, "limiter" | "config" | "clientAddress">,
): MiddlewareHandler<AppEnv> {
  const { limiter, config } = platform;
  return function limitRequests(c, next) {
    const exchange = c.get("exchange");
    const { caller } = exchange;
    const rate = caller.rate ?? config.rateLimit;
    // An edge has taken what a forwarded request costs.
    if (!rate || exchange.spilled) return next();
    const { rateKey, isUnpaid = true } = exchange.job ?? {};
    if (exchange.job && !(isUnpaid && rateKey)) {
      // The job's unit was taken when it was made. What it costs beyond that is taken now.
      const resetSeconds = rate.windowSeconds;
      if (rateKey) exchange.quota = { policy: "caller", key: rateKey, rate, resetSeconds };
      return next();
    }
    const key = rateKey ?? ownKey(caller, () => platform.clientAddress(c));

    const admit = (taken: Taken) => {
      const quota = { ...taken, policy: "caller" as const, key, rate };
      if (!taken.allowed) throw rateLimited(quota, 1);
      exchange.quota = quota;
      Object.assign(exchange.headers, quotaHeaders(quota));
      return next();
    };
    const taken = limiter.take(key, 1, rate);
    return taken instanceof Promise ? taken.then(admit) : admit(taken);
  };
}

function ownKey(caller: Caller, address: () => string): string {
  return caller === ANYONE || caller === NOBODY
    ? `address:${addressKey(address())}`
    : `caller:${caller.name}`;
}
