import { NearcastError } from "../errors.ts";
import type { Taken } from "./limiter.ts";
import { describeSize, type Size } from "./cost.ts";
import type { Rate } from "./rate.ts";

/** A key's rate, and what was left of it after the last take. */
export interface Quota extends Omit<Taken, "allowed"> {
  /** Whose rate it is. The `RateLimit` fields use the same word. */
  policy: "caller" | "model";
  key: string;
  rate: Rate;
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10, as far as the limiter knows them. */
export function quotaHeaders(quota: Quota): Record<string, string> {
  const { policy, rate, remaining, resetSeconds } = quota;
  return {
    "RateLimit-Policy": `"${policy}";q=${rate.limit};w=${rate.windowSeconds}`,
    ...(remaining !== undefined && {
      RateLimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
    }),
  };
}

/** The error for a request that costs more than is left, or more than the whole limit. `size` explains the cost. */
export function rateLimited(quota: Quota, cost: number, size?: Size): NearcastError {
  const { policy, rate, remaining, resetSeconds } = quota;
  const headers = quotaHeaders(quota);
  const allowance = `${rate.limit} units in ${rate.windowSeconds} s`;
  const whose = policy === "model" ? "All callers of this model together may have" : "You may have";
  // No Retry-After: the client would send the same again for ever.
  if (cost > rate.limit)
    return new NearcastError(
      "rate_limited",
      `${whose} ${allowance}, and this request costs ${cost}${size ? ` (${describeSize(size)})` : ""}: it can never pass. Send fewer or smaller inputs at once.`,
      { headers },
    );
  const left = remaining === undefined || remaining === 0 ? "" : `, ${remaining} of which are left`;
  return new NearcastError(
    "rate_limited",
    `${whose} ${allowance}${left}. Try again in ${resetSeconds} s.`,
    { headers, retryAfterSeconds: resetSeconds },
  );
}
