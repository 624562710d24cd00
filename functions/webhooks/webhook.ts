/** The ways in which a job or a batch ends. */
export const ENDS = ["succeeded", "failed", "canceled", "expired"] as const;
export type End = (typeof ENDS)[number];

/** Where a client wants to be told of an end, and what became of it. Times are milliseconds since 1970. */
export interface Webhook {
  url: string;
  /** The ends that it is told of. */
  statuses: readonly End[];
  /** Where what ends is, as its client was told. */
  location: string;
  /** The message's id: the same at each try. There is one message, since there is one end. */
  id: string;
  tries: number;
  /** When it is tried next. During a try: when that one counts as lost. */
  dueAt: number;
  deliveredAt?: number;
  givenUpAt?: number;
  /** Why the last try failed. */
  error?: string;
}

/** A webhook that a client wants to be told. */
export interface AskedWebhook extends Pick<Webhook, "url" | "statuses" | "location"> {
  /** The member or field of the request that named it. */
  from: string;
}

/** What is answered later, and tells of its end. */
export interface Telling {
  id: string;
  caller: { name: string };
  model: string;
  version: string;
  status: string;
  /** Each status that it had, and since when. */
  events: readonly { at: number }[];
  /** From its end on: for how long it is there. */
  expiresAt: number;
  webhook?: Webhook;
}

/** What has ended, and has not told its webhook of it yet. */
export type Pending<T extends Telling = Telling> = T & { webhook: Webhook };

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
}: Pick<Webhook, "url" | "statuses" | "location">): Webhook {
  return { url, statuses, location, id: `msg_${crypto.randomUUID()}`, tries: 0, dueAt: 0 };
}

export function isPending<T extends Telling>(one: T): one is Pending<T> {
  const { webhook, status } = one;
  return (
    webhook !== undefined &&
    webhook.statuses.some((end) => end === status) &&
    webhook.deliveredAt === undefined &&
    webhook.givenUpAt === undefined
  );
}

/** With a try that has begun. */
export function claimed<T extends Telling>(one: Pending<T>): Pending<T> {
  const { webhook } = one;
  const begun = { tries: webhook.tries + 1, dueAt: Date.now() + LEASE_MS };
  return { ...one, webhook: { ...webhook, ...begun } };
}

export function delivered<T extends Telling>(one: Pending<T>): Pending<T> {
  const { error: _, ...webhook } = one.webhook;
  return { ...one, webhook: { ...webhook, deliveredAt: Date.now() } };
}

export function givenUp<T extends Telling>(one: Pending<T>, error: string): Pending<T> {
  return { ...one, webhook: { ...one.webhook, error, givenUpAt: Date.now() } };
}

/** After a try that failed: with the time of the next one, or given up where none is left. */
export function failed<T extends Telling>(
  one: Pending<T>,
  error: string,
  retryAfterSeconds: number,
): Pending<T> {
  const usual = DELAYS[one.webhook.tries - 1];
  const seconds =
    Math.max(usual ?? 0, Math.min(retryAfterSeconds, LONGEST_DELAY_SECONDS)) *
    (1 + JITTER * Math.random());
  const dueAt = Date.now() + Math.ceil(seconds * 1000);
  if (usual === undefined || dueAt > one.expiresAt) return givenUp(one, error);
  return { ...one, webhook: { ...one.webhook, error, dueAt } };
}

/** The message's body. It has no answer: a receiver that wants it asks for it. */
export function bodyOf(
  kind: "job" | "batch",
  { id, status, model, version, events, webhook }: Pending,
): string {
  return JSON.stringify({
    type: `${kind}.${status}`,
    timestamp: new Date(events.at(-1)?.at ?? 0).toISOString(),
    data: { id, status, model, version, location: webhook.location },
  });
}

/** The webhook as its client sees it. */
export function shownWebhook(one: Telling) {
  const { webhook } = one;
  if (!webhook) return undefined;
  const { url, statuses, tries, dueAt, deliveredAt, givenUpAt, error } = webhook;
  const isWaiting = isPending(one) && tries > 0;
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
