import { NearcastError } from "../../errors.ts";
import { addressKey } from "../../limits/address.ts";
import { createMemoryLimiter } from "../../limits/memory-limiter.ts";
import { rateLimited } from "../../limits/quota.ts";
import type { Rate } from "../../limits/rate.ts";
import type { Platform, RequestSource } from "../../platform/types.ts";

/** Counts wrong keys and tokens by client address. */
export interface Guesses {
  /**
   * Call it before checking a token's signature. Throws `rate_limited` when the address has used up its tries and the
   * few checks that it gets after that.
   */
  checkToken: (source: RequestSource) => void;
  /** Counts refused credentials. Returns the error to answer: the refusal, or `rate_limited` after the last try. */
  refuse: (source: RequestSource, error: unknown) => unknown;
}

/**
 * An address without tries may still have this many tokens checked, so that a right one gets in. A check takes about
 * 0.1 ms for each key that may have signed the token, eight at most.
 */
const TOKENS_WITHOUT_TRIES: Rate = { limit: 50, windowSeconds: 1 };

/**
 * Counts refused credentials by client address, in this instance. An address that has used up the rate gets 429 for
 * further wrong credentials until its window ends. A right key takes only a comparison of digests and always gets in:
 * many clients share an address, and none may lock the others out.
 */
export function limitGuesses(
  { clientAddress }: Pick<Platform, "clientAddress">,
  rate: Rate,
): Guesses {
  const refusals = createMemoryLimiter();
  const tokens = createMemoryLimiter();
  return {
    checkToken(source) {
      const key = addressKey(clientAddress(source));
      if (refusals.peek(key, rate).remaining !== 0) return;
      const { allowed, resetSeconds } = tokens.take(key, 1, TOKENS_WITHOUT_TRIES);
      if (!allowed)
        throw rateLimited({ remaining: 0, resetSeconds, policy: "caller", key, rate }, 1);
    },
    refuse(source, error) {
      if (!(error instanceof NearcastError) || error.code !== "unauthorized") return error;
      const key = addressKey(clientAddress(source));
      const { allowed, ...left } = refusals.take(key, 1, rate);
      return allowed ? error : rateLimited({ ...left, policy: "caller", key, rate }, 1);
    },
  };
}
