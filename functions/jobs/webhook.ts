import { isFinal, type Job, type JobWebhook } from "./job.ts";

/** A job whose webhook has not been told of its end yet. */
export type Pending = Job & { webhook: JobWebhook };

/** The seconds between two tries. After the last of them it is given up. */
const DELAYS = [5, 300, 1800, 7200, 18_000, 36_000];
/** Receivers that were down together are not asked together again: each wait is up to so much longer. */
const JITTER = 0.2;
const LONGEST_DELAY_SECONDS = 36_000;
/** A try of a process that ended is lost after so long. Longer than a try takes. */
export const LEASE_MS = 30_000;

/** A webhook that was told nothing yet. */
export function newWebhook({
  url,
  statuses,
  location,
}: Pick<JobWebhook, "url" | "statuses" | "location">): JobWebhook {
  return { url, statuses, location, id: `msg_${crypto.randomUUID()}`, tries: 0, dueAt: 0 };
}

export function isPending(job: Job): job is Pending {
  const { webhook, status } = job;
  return (
    webhook !== undefined &&
    isFinal(job) &&
    webhook.statuses.includes(status) &&
    webhook.deliveredAt === undefined &&
    webhook.givenUpAt === undefined
  );
}

/** The job with a try that has begun. */
export function claimed(job: Pending): Pending {
  const { webhook } = job;
  const begun = { tries: webhook.tries + 1, dueAt: Date.now() + LEASE_MS };
  return { ...job, webhook: { ...webhook, ...begun } };
}

export function delivered(job: Pending): Pending {
  const { error: _, ...webhook } = job.webhook;
  return { ...job, webhook: { ...webhook, deliveredAt: Date.now() } };
}

export function givenUp(job: Pending, error: string): Pending {
  return { ...job, webhook: { ...job.webhook, error, givenUpAt: Date.now() } };
}

/** The job after a try that failed: with the time of the next one, or given up where none is left. */
export function failed(job: Pending, error: string, retryAfterSeconds: number): Pending {
  const usual = DELAYS[job.webhook.tries - 1];
  const seconds =
    Math.max(usual ?? 0, Math.min(retryAfterSeconds, LONGEST_DELAY_SECONDS)) *
    (1 + JITTER * Math.random());
  const dueAt = Date.now() + Math.ceil(seconds * 1000);
  if (usual === undefined || dueAt > job.expiresAt) return givenUp(job, error);
  return { ...job, webhook: { ...job.webhook, error, dueAt } };
}

/** The message's body. It has no answer: a receiver that wants it asks for it. */
export function bodyOf({ id, status, model, version, events, webhook }: Pending): string {
  return JSON.stringify({
    type: `job.${status}`,
    timestamp: new Date(events.at(-1)?.at ?? 0).toISOString(),
    data: { id, status, model, version, location: webhook.location },
  });
}

/** The webhook as the job's client sees it. */
export function shownWebhook(job: Job) {
  const { webhook } = job;
  if (!webhook) return undefined;
  const { url, statuses, tries, dueAt, deliveredAt, givenUpAt, error } = webhook;
  const isWaiting = isPending(job) && tries > 0;
  return {
    url,
    events: statuses,
    tries,
    ...(isWaiting && { next_try_at: new Date(dueAt).toISOString() }),
    ...(deliveredAt !== undefined && { delivered_at: new Date(deliveredAt).toISOString() }),
    ...(givenUpAt !== undefined && { given_up_at: new Date(givenUpAt).toISOString() }),
    ...(error !== undefined && { error }),
  };
}
