import { ageOf } from "../age.ts";
import { NearcastError } from "../errors.ts";
import type { Registry } from "./registry.ts";
import type { Sessions } from "./sessions.ts";
import { createSingleFlight } from "./single-flight.ts";
import type { Platform } from "../platform/types.ts";

/** What an instance that can answer says of itself. */
export interface Ready {
  /** Whether the store answers; `unreachable` where models in memory answer all the same. */
  store: "reachable" | "unreachable";
  /**
   * How many released models this instance could not read when they were asked last. They do not make it unready:
   * any other instance would fail the same way, and one that gets no requests could never find them mended.
   */
  failing: number;
}

/** Whether this instance should be sent requests. */
export interface Readiness {
  /** Rejects with `store_unavailable` when no prediction could be answered, with `shutting_down` after `announceEnd`. */
  checkReady: () => Promise<Ready>;
  /**
   * From now on {@link checkReady} rejects. True where anybody has ever called it: a load balancer may be sending
   * requests, and needs some time to learn of the end.
   */
  announceEnd: () => boolean;
}

/** The store is asked once in so long, however many ask for health: everyone may. */
const FRESH_MS = 1000;
/** Longer than the registry's own bound for one call. */
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
