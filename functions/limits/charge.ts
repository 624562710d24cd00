import type { Platform } from "../platform/types.ts";
import { rateLimited, type Quota } from "./quota.ts";

/**
 * Takes what a call costs beyond the unit that its request has paid: a unit a row, and as many from what the
 * model's rate allows all callers. Notes what is left. Undefined where there is nothing to take. Rejects with
 * `rate_limited`; what the caller paid is not given back when it is the model's rate that refuses.
 */
export type Charge = (
  paying: { quota: Quota | undefined },
  model: string,
  rows: number,
) => Promise<void> | undefined;

/** What {@link Charge} does on a platform. */
export function createCharge({
  limiter,
  config: { modelRateLimit },
}: Pick<Platform, "limiter" | "config">): Charge {
  /** What is left then. */
  async function take(quota: Quota, cost: number, rows: number): Promise<Quota> {
    const { policy, key, rate } = quota;
    // What can never pass is not asked for: a limiter without costs would be used up by it.
    if (rows > rate.limit) throw rateLimited(quota, rows);
    const { allowed, ...left } = await limiter.take(key, cost, rate);
    const now = { policy, key, rate, ...left };
    if (!allowed) throw rateLimited(now, rows);
    return now;
  }

  async function takeAll(
    paying: Parameters<Charge>[0],
    model: Quota | undefined,
    rows: number,
  ): Promise<void> {
    if (paying.quota && rows > 1) paying.quota = await take(paying.quota, rows - 1, rows);
    if (model) await take(model, Math.max(1, rows), rows);
  }

  return function charge(paying, model, rows) {
    if (!modelRateLimit && (!paying.quota || rows <= 1)) return undefined;
    const quota = modelRateLimit && {
      policy: "model" as const,
      key: `model:${model}`,
      rate: modelRateLimit,
      resetSeconds: modelRateLimit.windowSeconds,
    };
    return takeAll(paying, quota, rows);
  };
}
