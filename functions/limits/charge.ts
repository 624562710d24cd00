import type { MiddlewareHandler } from "hono";
import { ANYONE, NOBODY } from "../auth/access.ts";
import { NearcastError } from "../errors.ts";
import { createMemoryLimiter } from "./memory-limiter.ts";
import type { Platform, Taken } from "../platform/types.ts";
import type { AppEnv, RequestContext } from "../http/exchange.ts";
import { HEALTH_PATHS } from "../model/ready.ts";
import { addressKey } from "./address.ts";
import { quotaHeaders, rateLimited, type Quota } from "./quota.ts";
import type { Rate } from "./rate.ts";

/**
 * Takes what a request costs beyond the unit that {@link limitRequests} has taken: a unit a row, and as many
 * from what the model's rate allows all callers. Undefined where there is nothing to take. Rejects
 * with `rate_limited`; what the caller paid is not given back when it is the model's rate that refuses.
 */
export type Charge = (
  context: RequestContext,
  model: string,
  rows: number,
) => Promise<void> | undefined;

/**
 * Takes one unit of the caller's rate for every request before its body is read; of the client address's where
 * nobody says who they are. Health is never limited: who asks for it decides whether this instance lives.
 * Rejects with `rate_limited`.
 */
export function limitRequests(platform: Platform): MiddlewareHandler<AppEnv> {
  const { limiter, config } = platform;
  return function limitRequests(c, next) {
    const context = c.get("context");
    const { caller } = context;
    const rate = caller.rate ?? config.rateLimit;
    if (!rate || HEALTH_PATHS.has(c.req.path)) return next();
    const key =
      caller === ANYONE || caller === NOBODY
        ? `address:${addressKey(platform.clientAddress(c))}`
        : `caller:${caller.name}`;

    const admit = (taken: Taken) => {
      const quota: Quota = { ...taken, policy: "caller", key, rate };
      if (!taken.allowed) throw rateLimited(quota, 1);
      context.quota = quota;
      Object.assign(c.get("headers"), quotaHeaders(quota));
      return next();
    };
    const taken = limiter.take(key, 1, rate);
    return taken instanceof Promise ? taken.then(admit) : admit(taken);
  };
}

/** What {@link Charge} does on a platform. */
export function createCharge({ limiter, config }: Platform): Charge {
  const { modelRateLimit } = config;

  async function take(quota: Quota, cost: number, rows: number): Promise<void> {
    const { policy, key, rate } = quota;
    // What can never pass is not asked for: a limiter without costs would be used up by it.
    if (rows > rate.limit) throw rateLimited(quota, rows);
    const { allowed, ...left } = await limiter.take(key, cost, rate);
    Object.assign(quota, left);
    if (!allowed) throw rateLimited({ policy, key, rate, ...left }, rows);
  }

  async function takeAll(
    { quota }: RequestContext,
    model: Quota | undefined,
    rows: number,
  ): Promise<void> {
    if (quota && rows > 1) await take(quota, rows - 1, rows);
    if (model) await take(model, Math.max(1, rows), rows);
  }

  return function charge(context, model, rows) {
    if (!modelRateLimit && (!context.quota || rows <= 1)) return undefined;
    const quota = modelRateLimit && {
      policy: "model" as const,
      key: `model:${model}`,
      rate: modelRateLimit,
      resetSeconds: modelRateLimit.windowSeconds,
    };
    return takeAll(context, quota, rows);
  };
}

/**
 * Counts the requests that authentication refused, by client address and in this instance: an address that
 * has had as many as the rate allows gets no more tries, with right keys or wrong, until its window
 * ends. It goes before authentication. Rejects with `rate_limited`.
 */
export function limitGuesses(platform: Platform, rate: Rate): MiddlewareHandler<AppEnv> {
  const refusals = createMemoryLimiter();
  return async function limitGuesses(c, next) {
    if (HEALTH_PATHS.has(c.req.path)) return next();
    const key = addressKey(platform.clientAddress(c));
    const left = refusals.peek(key, rate);
    if (left.remaining === 0) throw rateLimited({ ...left, policy: "caller", key, rate }, 1);
    await next();
    if (c.error instanceof NearcastError && c.error.code === "unauthorized")
      refusals.take(key, 1, rate);
  };
}
