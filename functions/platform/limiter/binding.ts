import type { RateLimit } from "@cloudflare/workers-types";
import type { Rate } from "../../limits/rate.ts";
import type { Limiter } from "../../limits/limiter.ts";

const PERIODS = new Set([10, 60]);

/**
 * Counts with Workers' rate limiting bindings. Each rate has one, named after it: `RATE_LIMIT_100_60`. Each Cloudflare
 * location counts for itself and, in Cloudflare's words, is permissive and eventually consistent. A call of a binding
 * takes one unit and does not say how many are left. When a configured rate has no binding, throws an Error with the
 * lines to add to wrangler.toml.
 */
export function createBindingLimiter(
  env: Record<string, unknown>,
  configured: readonly (Rate | undefined)[],
): Limiter {
  function bindingOf(rate: Rate): RateLimit {
    const binding = env[nameOf(rate)] as RateLimit | undefined;
    if (!binding) throw new Error(missing(rate));
    return binding;
  }
  for (const rate of configured) if (rate) bindingOf(rate);

  return {
    async take(key, cost, rate) {
      const binding = bindingOf(rate);
      const resetSeconds = rate.windowSeconds;
      for (let unit = 0; unit < cost; unit++)
        if (!(await binding.limit({ key })).success) return { allowed: false, resetSeconds };
      return { allowed: true, resetSeconds };
    },
  };
}

function nameOf({ limit, windowSeconds }: Rate): string {
  return `RATE_LIMIT_${limit}_${windowSeconds}`;
}

function missing(rate: Rate): string {
  const { limit, windowSeconds } = rate;
  if (!PERIODS.has(windowSeconds))
    return `The rate ${limit}/${windowSeconds}s cannot be kept on Workers: seconds must be 10 or 60.`;
  return `The rate ${limit}/${windowSeconds}s needs a binding. Add to wrangler.toml:

[[ratelimits]]
name = "${nameOf(rate)}"
namespace_id = "1001" # a number that no other limit of the account has
simple = { limit = ${limit}, period = ${windowSeconds} }
`;
}
