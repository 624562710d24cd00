import type { Platform } from "../platform/types.ts";
import { costOf, type Size } from "./cost.ts";
import { rateLimited, type Quota } from "./quota.ts";

/** The size of a call as far as it is known, and what the call has paid. */
export interface Paying extends Size {
  /** The cost in units, by what is known of the call. */
  cost: number;
  quota: Quota | undefined;
}

/**
 * Takes the unpaid cost of a call from the caller's rate and from the model's rate. The request itself has already
 * taken one unit from the caller's. It is called again when more is known of the call: the tokens of its texts, the
 * pixels of its images, the seconds of its recordings. Notes the cost and what is left. Returns undefined when there is nothing to take. Rejects with
 * `rate_limited`. When the model's rate refuses, the caller gets nothing back.
 */
export type Charge = (paying: Paying, model: string) => Promise<void> | undefined;

/** Makes the {@link Charge} of a platform. */
export function createCharge({
  limiter,
  config: { modelRateLimit },
}: Pick<Platform, "limiter" | "config">): Charge {
  /** Takes units from a rate. Gives what is left. */
  async function take(quota: Quota, units: number, paying: Paying): Promise<Quota> {
    const { policy, key, rate } = quota;
    // Refuses a cost over the whole limit at once. A limiter that takes unit by unit would be used up by it.
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
