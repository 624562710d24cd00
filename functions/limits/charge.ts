import type { Platform } from "../platform/types.ts";
import { costOf, type Size } from "./cost.ts";
import { rateLimited, type Quota } from "./quota.ts";

/** What a call is made of as far as it is known, and what it has paid for. */
export interface Paying extends Size {
  /** Units, by what is known of the call. */
  cost: number;
  quota: Quota | undefined;
}

/**
 * Takes what a call costs beyond what it has paid, from the caller's rate and from the model's. The caller's has
 * paid the first unit with the request. It is called again when more is known of the call: the tokens of its texts,
 * the pixels of its images. Notes the cost, and what is left. Undefined where there is nothing to take. Rejects
 * with `rate_limited`. When the model's rate refuses, the caller gets nothing back.
 */
export type Charge = (paying: Paying, model: string) => Promise<void> | undefined;

/** What {@link Charge} does on a platform. */
export function createCharge({
  limiter,
  config: { modelRateLimit },
}: Pick<Platform, "limiter" | "config">): Charge {
  /** What is left then. */
  async function take(quota: Quota, units: number, paying: Paying): Promise<Quota> {
    const { policy, key, rate } = quota;
    // Refuses at once what can never pass: it would use up a limiter without costs.
    if (paying.cost > rate.limit) throw rateLimited(quota, paying.cost, paying);
    const { allowed, ...left } = await limiter.take(key, units, rate);
    const now = { policy, key, rate, ...left };
    if (!allowed) throw rateLimited(now, paying.cost, paying);
    return now;
  }

  async function takeAll(paying: Paying, model: Quota | undefined, paid: number): Promise<void> {
    const { cost, quota } = paying;
    const first = Math.max(1, paid);
    if (quota && cost > first) paying.quota = await take(quota, cost - first, paying);
    if (model) await take(model, cost - paid, paying);
  }

  return function charge(paying, model) {
    const paid = paying.cost;
    const cost = costOf(paying);
    if (cost <= paid) return undefined;
    paying.cost = cost;
    if (!modelRateLimit && (!paying.quota || cost === 1)) return undefined;
    const quota = modelRateLimit && {
      policy: "model" as const,
      key: `model:${model}`,
      rate: modelRateLimit,
      resetSeconds: modelRateLimit.windowSeconds,
    };
    return takeAll(paying, quota, paid);
  };
}
