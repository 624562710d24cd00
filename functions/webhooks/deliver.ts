import type { Caller } from "../auth/caller.ts";
import { invalidInput } from "../errors.ts";
import type { WebhookRecord } from "../observe/observer.ts";
import type { Platform } from "../platform/types.ts";
import { within } from "../within.ts";
import { refusalOf } from "./allowed-hosts.ts";
import { createSecretsOf } from "./secrets-of.ts";
import { sendWebhook, type Sent } from "./send.ts";
import {
  bodyOf,
  claimed,
  delivered,
  failed,
  givenUp,
  isPending,
  LEASE_MS,
  type AskedWebhook,
  type Pending,
  type Telling,
} from "./webhook.ts";

/** Where what has ended lies. */
export interface TellingStore<T extends Telling> {
  /**
   * Writes what `next` makes of it, by compare-and-swap, and gives it. Gives it as it is where `next` makes nothing of it.
   * Undefined where there is none.
   */
  change(name: string, next: (one: T) => T | undefined): Promise<T | undefined>;
}

/**
 * Tells a webhook of an end, if it is time. Gives the time at which it wants to be called again. Undefined when nothing
 * is left to do. Rejects where the store does not answer. Where instances get messages by themselves, it resolves when the
 * try has begun: a webhook that hangs must not keep the next job waiting.
 */
export type Deliver<T extends Telling> = (name: string, one: T) => Promise<number | undefined>;

export interface Delivery {
  /** Rejects with `invalid_input` for a webhook that may not be told, or whose caller could not verify it. */
  check(caller: Pick<Caller, "name">, asked: AskedWebhook): Promise<void>;
  of<T extends Telling>(kind: "job" | "batch", store: TellingStore<T>): Deliver<T>;
  /** Waits for the tries that were begun. */
  end(): Promise<void>;
}

/** Longer than the names of a host take to be found. */
const LOOKUP_MS = 2000;
/** Tries at once, and to one host: one that hangs does not keep the others waiting. */
const MOST_AT_ONCE = 64;
const MOST_TO_ONE_HOST = 16;
/** When a try that found no place is made, in seconds. Spread, so that thousands do not come back together. */
const NO_PLACE_SECONDS = 30;
/** A try that was begun is looked at after this time. The second try comes as soon. */
const LOOK_AFTER_MS = 5000;

export function createDelivery(
  platform: Pick<Platform, "jobs" | "config" | "log" | "readSecret" | "waitUntil" | "webhooks">,
  tell: (record: WebhookRecord) => void,
): Delivery {
  const { jobs, config, log, waitUntil, webhooks } = platform;
  const { hosts } = config.webhooks;
  const secretsOf = createSecretsOf(platform);
  const ongoing = new Map<Promise<void>, { host: string; begunAt: number }>();

  async function attempt(kind: "job" | "batch", one: Pending): Promise<Sent> {
    const { webhook, caller } = one;
    // The deployment may allow less than when it was asked for.
    const refused = refusalOf(webhook.url, hosts);
    if (refused !== undefined) return { outcome: "gone", why: `its URL ${refused}` };
    let secrets: readonly string[];
    try {
      secrets = await secretsOf(caller.name);
    } catch {
      return { outcome: "failed", why: "its secret cannot be read", retryAfterSeconds: 0 };
    }
    if (secrets.length === 0) return { outcome: "gone", why: "its caller has no secret" };
    const { url, id } = webhook;
    const body = bodyOf(kind, one);
    return sendWebhook(webhooks.post, { url, id, body, secrets });
  }

  /** Tells the log and the metrics what became of a try. */
  function report(sent: Sent, { model, version, webhook }: Pending): void {
    const isOver = webhook.givenUpAt !== undefined;
    const { outcome } = sent;
    tell({
      model,
      version,
      outcome: outcome === "delivered" ? outcome : isOver ? "given_up" : "failed",
    });
    if (outcome === "delivered") return;
    log({
      level: isOver ? "error" : "warn",
      message: isOver ? "webhook: given up" : "webhook: not delivered, tried again later",
      webhook: webhook.id,
      // The rest of the URL may be secret.
      host: new URL(webhook.url).host,
      tries: webhook.tries,
      error: sent.why,
    });
  }

  function places(host: string): number {
    // On Workers, what a canceled invocation has begun never ends.
    const begun = [...ongoing.values()].filter(({ begunAt }) => Date.now() - begunAt < LEASE_MS);
    const same = begun.filter((other) => other.host === host).length;
    return Math.min(MOST_AT_ONCE - begun.length, MOST_TO_ONE_HOST - same);
  }

  function of<T extends Telling>(kind: "job" | "batch", store: TellingStore<T>): Deliver<T> {
    /** A try that is this process' own. Undefined where there is nothing to do now. */
    async function claim(name: string, one: T): Promise<Pending<T> | undefined> {
      if (!isDue(one)) return undefined;
      let own: Pending<T> | undefined;
      // The queue may hand out a message twice, and a try may still go on.
      await store.change(name, (found) => (own = isDue(found) ? claimed(found) : undefined));
      return own;
    }

    async function settle(name: string, claim: Pending<T>): Promise<number | undefined> {
      const sent = await attempt(kind, claim);
      const after = next(claim, sent);
      report(sent, after);
      const now = await store.change(name, (found) => {
        if (!isPending(found)) return undefined;
        // A late failure changes nothing: another try has begun.
        const isLate = found.webhook.tries !== claim.webhook.tries;
        return isLate && sent.outcome === "failed"
          ? undefined
          : { ...found, webhook: after.webhook };
      });
      return now && dueOf(now);
    }

    async function deliver(name: string, one: T): Promise<number | undefined> {
      const own = await claim(name, one);
      return own ? settle(name, own) : dueOf(one);
    }

    async function begin(name: string, one: T): Promise<number | undefined> {
      if (!isDue(one)) return dueOf(one);
      const { host } = new URL(one.webhook.url);
      if (places(host) <= 0) return Date.now() + NO_PLACE_SECONDS * 1000 * (1 + Math.random());
      const own = await claim(name, one);
      if (!own) return Date.now() + LOOK_AFTER_MS;
      const settling = settle(name, own)
        .catch((error: unknown) =>
          log({
            level: "error",
            message: `webhook: not noted in its ${kind}`,
            error: String(error),
          }),
        )
        .then(() => void ongoing.delete(settling));
      ongoing.set(settling, { host, begunAt: Date.now() });
      waitUntil(settling);
      return Date.now() + LOOK_AFTER_MS;
    }

    return jobs?.consume && !jobs.standsStill ? begin : deliver;
  }

  async function refusal(caller: string, url: string): Promise<string | undefined> {
    const refused = refusalOf(url, hosts);
    if (refused !== undefined) return refused;
    if ((await secretsOf(caller)).length === 0)
      return "is not possible: this deployment has no secret for you to verify it with";
    const { hostname } = new URL(url);
    const isInside = await within(
      webhooks.isInside?.(hostname) ?? Promise.resolve(false),
      LOOKUP_MS,
      () => false,
    );
    return isInside ? "must not lead into the network of this deployment" : undefined;
  }

  return {
    async check({ name }, { url, from }) {
      const refused = await refusal(name, url);
      if (refused !== undefined) throw invalidInput([{ path: from, message: refused }]);
    },
    of,
    end: async () => void (await Promise.all(ongoing.keys())),
  };
}

function isDue<T extends Telling>(one: T): one is Pending<T> {
  return isPending(one) && one.webhook.dueAt <= Date.now();
}

function dueOf(one: Telling): number | undefined {
  return isPending(one) ? one.webhook.dueAt : undefined;
}

function next<T extends Telling>(claim: Pending<T>, sent: Sent): Pending<T> {
  if (sent.outcome === "delivered") return delivered(claim);
  if (sent.outcome === "gone") return givenUp(claim, sent.why);
  return failed(claim, sent.why, sent.retryAfterSeconds);
}
