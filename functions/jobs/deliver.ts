import type { Caller } from "../auth/caller.ts";
import type { WebhookRecord } from "../observe/observer.ts";
import type { Platform } from "../platform/types.ts";
import { refusalOf } from "../webhooks/allowed-hosts.ts";
import { createSecretsOf } from "../webhooks/secrets-of.ts";
import { sendWebhook, type Sent } from "../webhooks/send.ts";
import { within } from "../within.ts";
import type { Job } from "./job.ts";
import type { JobStore } from "./job-store.ts";
import {
  bodyOf,
  claimed,
  delivered,
  failed,
  givenUp,
  isPending,
  LEASE_MS,
  type Pending,
} from "./webhook.ts";

/**
 * Tells a webhook that the job has ended, if it is time. Gives the time at which it wants to be called again. Undefined
 * when nothing is left to do.
 */
export type Deliver = (name: string, job: Job) => Promise<number | undefined>;

export interface Delivery {
  /** What is wrong with a webhook, in words that follow its name. Undefined when nothing is. */
  refusal(caller: Caller, url: string): Promise<string | undefined>;
  /** Resolves after the try. Rejects where the job's store does not answer. */
  deliver: Deliver;
  /** Resolves when the try has begun, which may be later. */
  beginDelivery: Deliver;
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
  platform: Pick<Platform, "config" | "log" | "readSecret" | "waitUntil" | "webhooks">,
  store: Pick<JobStore, "change">,
  tell: (record: WebhookRecord) => void,
): Delivery {
  const { config, log, waitUntil, webhooks } = platform;
  const { hosts } = config.webhooks;
  const secretsOf = createSecretsOf(platform);
  const ongoing = new Map<Promise<void>, { host: string; begunAt: number }>();

  async function attempt({ webhook, caller, ...job }: Pending): Promise<Sent> {
    // The deployment may allow less than when the job was made.
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
    const body = bodyOf({ ...job, webhook, caller });
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

  /** A try of this job's webhook that is this process' own. Undefined where there is nothing to do now. */
  async function claim(name: string, job: Job): Promise<Pending | undefined> {
    if (!isDue(job)) return undefined;
    let own: Pending | undefined;
    // The queue may hand out a message twice, and a try may still go on.
    await store.change(name, (found) => (own = isDue(found) ? claimed(found) : undefined));
    return own;
  }

  async function settle(name: string, claim: Pending): Promise<number | undefined> {
    const sent = await attempt(claim);
    const after = next(claim, sent);
    report(sent, after);
    const job = await store.change(name, (found) => {
      if (!isPending(found)) return undefined;
      // A late failure changes nothing: another try has begun.
      const isLate = found.webhook.tries !== claim.webhook.tries;
      return isLate && sent.outcome === "failed" ? undefined : { ...found, webhook: after.webhook };
    });
    return job && dueOf(job);
  }

  function places(host: string): number {
    // On Workers, what a canceled invocation has begun never ends.
    const begun = [...ongoing.values()].filter(({ begunAt }) => Date.now() - begunAt < LEASE_MS);
    const same = begun.filter((other) => other.host === host).length;
    return Math.min(MOST_AT_ONCE - begun.length, MOST_TO_ONE_HOST - same);
  }

  return {
    async refusal({ name }, url) {
      const refused = refusalOf(url, hosts);
      if (refused !== undefined) return refused;
      if ((await secretsOf(name)).length === 0)
        return "is not possible: this deployment has no secret for you to verify it with";
      const { hostname } = new URL(url);
      const isInside = await within(
        webhooks.isInside?.(hostname) ?? Promise.resolve(false),
        LOOKUP_MS,
        () => false,
      );
      return isInside ? "must not lead into the network of this deployment" : undefined;
    },
    async deliver(name, job) {
      const own = await claim(name, job);
      return own ? settle(name, own) : dueOf(job);
    },
    async beginDelivery(name, job) {
      if (!isDue(job)) return dueOf(job);
      const { host } = new URL(job.webhook.url);
      if (places(host) <= 0) return Date.now() + NO_PLACE_SECONDS * 1000 * (1 + Math.random());
      const own = await claim(name, job);
      if (!own) return Date.now() + LOOK_AFTER_MS;
      const settling = settle(name, own)
        .catch((error: unknown) =>
          log({ level: "error", message: "webhook: not noted in its job", error: String(error) }),
        )
        .then(() => void ongoing.delete(settling));
      ongoing.set(settling, { host, begunAt: Date.now() });
      waitUntil(settling);
      return Date.now() + LOOK_AFTER_MS;
    },
    end: async () => void (await Promise.all(ongoing.keys())),
  };
}

function isDue(job: Job): job is Pending {
  return isPending(job) && job.webhook.dueAt <= Date.now();
}

function dueOf(job: Job): number | undefined {
  return isPending(job) ? job.webhook.dueAt : undefined;
}

function next(claim: Pending, sent: Sent): Pending {
  if (sent.outcome === "delivered") return delivered(claim);
  if (sent.outcome === "gone") return givenUp(claim, sent.why);
  return failed(claim, sent.why, sent.retryAfterSeconds);
}
