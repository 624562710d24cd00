import { createSecretsOf } from "../webhooks/secrets-of.ts";
import { boundStore } from "../model/bounded-store.ts";
import type { Registry } from "../model/registry.ts";
import { readRelease, type Candidate } from "../model/release.ts";
import { countsOutOfReach } from "../observe/counters.ts";
import type { Platform } from "../platform/types.ts";
import { readEvidence, type Evidence } from "./evidence.ts";
import { describeRollout, type RolloutStatus } from "./status.ts";
import { within } from "../within.ts";
import { watchModel } from "./watch.ts";

export interface Rollouts {
  /** Looks at the models that this instance answered for and that have versions on trial. Never rejects. */
  lookAtKnown: () => Promise<void>;
  /** Looks at all models in the store. Rejects if the store cannot be listed. */
  lookAtAll: () => Promise<void>;
  /**
   * What is on trial, and what was counted. Undefined for a model without a release. Rejects while the store or the
   * counts cannot be reached.
   */
  status: (model: string) => Promise<RolloutStatus | undefined>;
}

/** A rollout belongs to the deployment: its webhook is signed with the secret of `*`. */
const NO_CALLER = "*";
/** How many models are looked at together. */
const AT_ONCE = 8;
/** The longest time for one look, its notice included. */
const LOOK_MS = 60_000;

/** Makes the service's rollouts, over its store and its counters. */
export function createRollouts(platform: Platform, registry: Pick<Registry, "tried">): Rollouts {
  const { config, counters } = platform;
  const bounded = boundStore(platform.store, config.storeTimeoutMs);
  const evidenceOf = (model: string, candidate: Candidate) =>
    readEvidence(counters, model, candidate);
  const secretsOf = createSecretsOf(platform);
  const watched = {
    store: platform.store,
    evidenceOf,
    post: platform.webhooks.post,
    secrets: () => secretsOf(NO_CALLER),
    log: (entry: Record<string, unknown>) => platform.log(entry),
    by: `nearcast on ${platform.name}`,
  };
  const looking = new Set<string>();

  /** A slow look is not begun a second time. */
  async function look(model: string): Promise<void> {
    if (looking.has(model)) return;
    looking.add(model);
    try {
      await within(watchModel(watched, model), LOOK_MS, tooLate);
    } catch (error) {
      const message = "rollout: this look failed, and the next one decides";
      platform.log({ level: "error", message, model, error: String(error) });
    } finally {
      looking.delete(model);
    }
  }

  async function lookAt(models: readonly string[]): Promise<void> {
    for (let start = 0; start < models.length; start += AT_ONCE)
      await Promise.all(models.slice(start, start + AT_ONCE).map(look));
  }

  return {
    lookAtKnown: () => lookAt(registry.tried()),
    async lookAtAll() {
      const keys = await bounded.list("");
      await lookAt(keys.flatMap((key) => /^([^/]+)\/release\.json$/.exec(key)?.[1] ?? []));
    },
    async status(model) {
      const found = await readRelease(bounded, model);
      if (!found) return undefined;
      const evidence = new Map<string, Evidence>();
      for (const one of found.release.candidates)
        evidence.set(one.version, await evidenceOf(model, one).catch(countsOutOfReach));
      return describeRollout(model, found.release, evidence);
    },
  };
}

function tooLate(): never {
  throw new Error(`it took more than ${LOOK_MS / 1000} s`);
}
