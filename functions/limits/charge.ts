import type { Platform } from "../platform/types.ts";
import { rateLimited, type Quota } from "./quota.ts";

/**
 * Takes what a call costs: a unit for each row, less the one that its request has paid, from the caller's rate,
 * and a unit for each row from the model's rate. Notes what is left. Undefined where there is nothing to take.
 * Rejects with `rate_limited`. When the model's rate refuses, the caller gets nothing back.
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
    // Refuses at once what can never pass: it would use up a limiter without costs.
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
