import { ageOf } from "../age.ts";
import { NearcastError } from "../errors.ts";
import type { Registry } from "./registry.ts";
import type { Sessions } from "./sessions.ts";
import { createSingleFlight } from "./single-flight.ts";
import type { Platform } from "../platform/types.ts";

/** The state of an instance that can answer. */
export interface Ready {
  /** Whether the store answers. `unreachable`: it does not, but models in memory still answer. */
  store: "reachable" | "unreachable";
  /**
   * How many released models this instance could not read when they were last asked for. The instance stays ready: any
   * other would fail the same way, and without requests it could never see that they were mended.
   */
  failing: number;
}

/** Whether this instance should get requests. */
export interface Readiness {
  /**
   * Rejects with `store_unavailable` when no prediction could be answered, and with `shutting_down` after
   * `announceEnd`.
   */
  checkReady: () => Promise<Ready>;
  /**
   * Makes {@link checkReady} reject from now on. Returns true if anybody has ever called it: a load balancer may be
   * sending requests, and needs time to notice the end.
   */
  announceEnd: () => boolean;
}

/** Asks the store at most once in this time, however many probes there are: anyone may send probes. */
const FRESH_MS = 1000;
/** Longer than the registry's own limit for one call. */
const PATIENCE_MS = 2000;

export function createReadiness(
  registry: Registry,
  sessions: Sessions,
  { waitUntil }: Pick<Platform, "waitUntil">,
): Readiness {
  const share = createSingleFlight({ waitUntil, patienceMs: PATIENCE_MS });
  let known: { failure: unknown; askedAt: number } | undefined;
  let wasAsked = false;
  let ending = false;

  async function ask() {
    const askedAt = Date.now();
    const failure = await registry.ping().catch((error: unknown) => error);
    return (known = { failure, askedAt });
  }

  return {
    async checkReady() {
      wasAsked = true;
      if (ending) throw new NearcastError("shutting_down", "This instance is shutting down.");
      const { failure } =
        known && ageOf(known.askedAt) < FRESH_MS ? known : await share("store", ask);
      const failing = registry.failing();
      if (failure === undefined) return { store: "reachable", failing };
      if (!(failure instanceof NearcastError) || sessions.count() === 0) throw failure;
      return { store: "unreachable", failing };
    },
    announceEnd() {
      ending = true;
      return wasAsked;
    },
  };
}
