import { ageOf } from "../age.ts";
import { NearcastError } from "../errors.ts";
import type { Registry } from "./registry.ts";
import type { Sessions } from "./sessions.ts";
import { createSingleFlight } from "./single-flight.ts";
import type { Platform } from "../platform/types.ts";

/** Whether the store answers; `unreachable` where models in memory answer all the same. */
export type CheckReady = () => Promise<"reachable" | "unreachable">;

/** The store is asked once in so long, however many ask for health: everyone may. */
const FRESH_MS = 1000;
/** Longer than the registry's own bound for one call. */
const PATIENCE_MS = 2000;

/** Rejects with `store_unavailable` when no prediction could be answered. */
export function createCheckReady(
  registry: Registry,
  sessions: Sessions,
  { waitUntil }: Pick<Platform, "waitUntil">,
): CheckReady {
  const share = createSingleFlight({ waitUntil, patienceMs: PATIENCE_MS });
  let known: { failure: unknown; askedAt: number } | undefined;

  async function ask() {
    const askedAt = Date.now();
    const failure = await registry.ping().catch((error: unknown) => error);
    return (known = { failure, askedAt });
  }

  return async function checkReady() {
    const { failure } =
      known && ageOf(known.askedAt) < FRESH_MS ? known : await share("store", ask);
    if (failure === undefined) return "reachable";
    if (!(failure instanceof NearcastError) || sessions.count() === 0) throw failure;
    return "unreachable";
  };
}
