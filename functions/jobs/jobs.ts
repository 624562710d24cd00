import type { Caller } from "../auth/caller.ts";
import { digest } from "../digest.ts";
import { NearcastError, problem } from "../errors.ts";
import type { Observer } from "../observe/observer.ts";
import type { Turns } from "../load/turns.ts";
import type { Resolved } from "../model/registry.ts";
import type { Platform } from "../platform/types.ts";
import type { Delivery } from "../webhooks/deliver.ts";
import { isPending, newWebhook, type AskedWebhook } from "../webhooks/webhook.ts";
import {
  isFinal,
  isOver,
  moved,
  storedCaller,
  type Job,
  type JobAnswer,
  type JobRequest,
  type JobStatus,
} from "./job.ts";
import { createJobStore, nameOf } from "./job-store.ts";
import { createKeyOf } from "./key-of.ts";
import type { Outcome } from "./queue.ts";
import { waitForQuiet, waitWhile } from "./wait-for-quiet.ts";

/** What a job is made of. */
export interface Asked {
  caller: Caller;
  /** The client's own id, or a new one. */
  id: string;
  request: JobRequest;
  body: Uint8Array;
  /** The version that will answer. */
  version: Resolved;
  webhook?: AskedWebhook | undefined;
}

/** Answers a job's request as a client would have been answered. */
export type Perform = (
  job: Pick<Job, "caller" | "model" | "assignment" | "request">,
  body: Uint8Array<ArrayBuffer>,
) => Promise<JobAnswer>;

/** Does the work of messages that are no jobs. */
export interface OtherMessages {
  owns(message: string): boolean;
  run(message: string, tries: number, perform: Perform): Promise<Outcome>;
}

/** Calls that are answered later. All methods reject with `store_unavailable` where the store does not answer. */
export interface Jobs {
  /**
   * Makes a job, once for each id of a caller. Rejects with `invalid_input` where the id was used for another request,
   * or the webhook is refused, and with `overloaded` when the queue is full or out of reach.
   */
  make(asked: Asked): Promise<Job>;
  /** Rejects with `not_found` for a job of somebody else, or of nobody. So do the following methods. */
  read(caller: Caller, id: string): Promise<Job>;
  /** Rejects with `conflict` while there is no answer. */
  answer(caller: Caller, id: string): Promise<JobAnswer>;
  /** A job that has ended stays as it is. */
  cancel(caller: Caller, id: string): Promise<Job>;
  /** Cancels the job, and removes everything that is stored of it. Gives it as it was. */
  remove(caller: Caller, id: string): Promise<Job>;
  /** Runs the job of a message. Never rejects. */
  run(message: string, tries: number, perform: Perform): Promise<Outcome>;
  /**
   * Runs jobs while no request waits for the processor, where instances get them by themselves. `isAnswering` says whether
   * requests are answered where there are no turns.
   */
  begin(perform: Perform, isAnswering: () => boolean): void;
  /** Takes no further jobs, and waits for those that run. */
  end(): Promise<void>;
}

/** A job whose process has ended so often is given up: it may be what ends them. */
const MOST_TRIES = 5;
const GIVEN_UP = `The job was given up: ${MOST_TRIES} times the process ended that ran it.`;
const NO_BODY = "The job's request is gone.";
/** After this many seconds a job is tried again whose store or queue did not answer. */
const RETRY_SECONDS = 5;

/** An instance that always answers somebody, and has no turns, runs jobs between them. */
const LONGEST_QUIET_MS = 5000;

interface JobsOptions {
  turns: Turns | undefined;
  observer: Pick<Observer, "job">;
  delivery: Delivery;
  others: readonly OtherMessages[];
}

/** Undefined where the platform has no queue. */
export function createJobs(
  platform: Pick<Platform, "jobs" | "config" | "sha256" | "log">,
  { turns, observer, delivery, others }: JobsOptions,
): Jobs | undefined {
  const { jobs, config, sha256, log } = platform;
  if (!jobs) return undefined;
  const { queue, consume, storeExpires = false } = jobs;
  const store = createJobStore(jobs.store, config.storeTimeoutMs);
  const ttlMs = config.jobResultTtlMs;
  const deliver = delivery.of("job", store);

  const keyOf = createKeyOf(platform, "", noJob);

  async function read(caller: Caller, id: string): Promise<Job> {
    const job = await current(await keyOf(caller, id));
    if (!job) throw noJob(id);
    return job;
  }

  /** The job as it is now, whether or not its message has come since its time was over. */
  async function current(key: string): Promise<Job | undefined> {
    const found = await store.find(key);
    if (!found || !isOver(found)) return found;
    return isFinal(found) ? undefined : finishNow(nameOf(key, found), "expired");
  }

  /** Writes a new job. Gives the one that is there already instead. */
  async function write(name: string, body: Uint8Array, jobOf: (input: string) => Job) {
    const input = await store.write(name, "input", body);
    const job = jobOf(input);
    const made = await store.create(name, job);
    const isNew = made === job;
    if (!isNew) await store.remove(input);
    return { made, isNew };
  }

  /** Ends a job, unless it has ended. Undefined when there is none. `isOwn`: it was not ended before. */
  async function finish(name: string, status: JobStatus, answer?: Job["answer"]) {
    let isOwn = false;
    const job = await store.change(name, (found) => {
      isOwn = !isFinal(found);
      const expiresAt = Date.now() + ttlMs;
      return isOwn ? moved(found, status, { ...(answer && { answer }), expiresAt }) : undefined;
    });
    if (!job) return undefined;
    if (isOwn) {
      observer.job?.(job);
      await store.remove(job.input);
    }
    return { job, isOwn };
  }

  /** Ends a job whose message may come much later. Its webhook is told soon. */
  async function finishNow(name: string, status: JobStatus): Promise<Job | undefined> {
    const found = await finish(name, status);
    if (found?.isOwn && isPending(found.job))
      await queue
        .send(name, async () => {})
        .catch((error: unknown) => {
          const message = "jobs: the webhook of a job that was ended waits for its message";
          log({ level: "warn", message, error: String(error) });
        });
    return found?.job;
  }

  /** Gives the job once it has ended. Undefined when it was removed meanwhile. */
  async function end(name: string, answer: JobAnswer): Promise<Job | undefined> {
    const { status, headers } = answer;
    const object = await store.write(name, "answer", answer.body);
    const ended = status < 400 ? "succeeded" : "failed";
    const found = await finish(name, ended, { object, status, headers });
    // It was cancelled or removed meanwhile, or another consumer was sooner.
    if (!found?.isOwn) await store.remove(object);
    return found?.job;
  }

  async function tidyAfter(name: string, job: Job | undefined): Promise<Outcome> {
    return job ? tidy(name, job) : "done";
  }

  /** What is left to do for a job that has ended, or whose time is over. */
  async function tidy(name: string, job: Job): Promise<Outcome> {
    if (!isFinal(job)) return tidyAfter(name, (await finish(name, "expired"))?.job);
    const dueAt = (await deliver(name, job)) ?? Infinity;
    if (isOver(job) && !storeExpires) {
      // Marked first: a new job of this id could take its place, and would be removed.
      const leaving = await store.change(name, (one) => ({ ...one, isLeaving: true }));
      await (leaving ? store.removeAll(name) : store.sweep(name));
      return "done";
    }
    const again = storeExpires ? dueAt : Math.min(dueAt, job.expiresAt);
    if (again === Infinity) return "done";
    const retryAfterSeconds = Math.max(1, Math.ceil((again - Date.now()) / 1000));
    return { retryAfterSeconds, hasEnded: true };
  }

  async function runOnce(name: string, tries: number, perform: Perform): Promise<Outcome> {
    const found = await store.read(name);
    if (!found) {
      // It was removed, or could not be written.
      await store.sweep(name);
      return "done";
    }
    if (isFinal(found) || isOver(found)) return tidy(name, found);
    if (tries > MOST_TRIES) return tidyAfter(name, await end(name, failure(found, GIVEN_UP)));
    const job = await store.change(name, (one) =>
      one.status === "queued" ? moved(one, "running") : undefined,
    );
    if (!job || isFinal(job)) return tidyAfter(name, job);
    const body = await store.bytes(job.input);
    // Without its body, it has ended meanwhile or never will.
    const answer = body ? await perform(job, body) : failure(job, NO_BODY);
    const later = Number(answer.headers["retry-after"]);
    if (!later) return tidyAfter(name, await end(name, answer));
    await store.change(name, (one) =>
      one.status === "running" ? moved(one, "queued") : undefined,
    );
    return { retryAfterSeconds: later };
  }

  async function send(name: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await queue.send(name, async () => void (await write()));
    } catch (cause) {
      if (cause instanceof NearcastError) throw cause;
      throw noQueue(cause);
    }
  }

  /** Whoever made the job may have ended between writing and sending it. A second message does no harm. */
  async function sendAgain(name: string, job: Job): Promise<Job> {
    if (!isUntouched(job)) return job;
    // Whoever made it would remove it where the first message cannot be sent.
    const kept = await store.change(name, (one) =>
      isUntouched(one) && !one.isSentAgain ? { ...one, isSentAgain: true } : undefined,
    );
    if (!kept || isFinal(kept)) throw noQueue();
    await send(name, async () => {});
    return job;
  }

  /** Removes a job that could not be sent, unless another request for it was answered. */
  async function withdraw(name: string): Promise<void> {
    const job = await store.change(name, (one) =>
      isUntouched(one) && !one.isSentAgain ? moved(one, "canceled") : undefined,
    );
    if (job?.status === "canceled") await store.removeAll(name);
  }

  async function run(message: string, tries: number, perform: Perform): Promise<Outcome> {
    try {
      const other = others.find((one) => one.owns(message));
      return await (other ?? { run: runOnce }).run(message, tries, perform);
    } catch (error) {
      log({ level: "error", message: "jobs: a job waits for its store", error: String(error) });
      return { retryAfterSeconds: RETRY_SECONDS };
    }
  }

  let stop: (() => Promise<void>) | undefined;
  return {
    async make({ caller, id, request, body, webhook, version }) {
      const { manifest, reason, release, shadows } = version;
      const key = await keyOf(caller, id);
      const type = request.headers["content-type"] ?? "";
      const told = webhook ? `\n${webhook.url}\n${webhook.statuses.join()}` : "";
      const fingerprint = await sha256(`${request.path}\n${type}\n${await digest(body)}${told}`);
      const known = await current(key);
      if (known) return sendAgain(nameOf(key, known), same(known, fingerprint));
      if (webhook) await delivery.check(caller, webhook);
      const now = Date.now();
      const generation = crypto.randomUUID();
      const name = nameOf(key, { generation });
      const job = (input: string): Job => ({
        id,
        generation,
        caller: storedCaller(caller),
        model: manifest.name,
        version: manifest.version,
        digest: manifest.artifact.sha256,
        assignment: {
          version: manifest.version,
          reason,
          ...(release && { release }),
          ...(shadows && { shadows }),
        },
        request,
        fingerprint,
        input,
        status: "queued",
        events: [{ status: "queued", at: now }],
        expiresAt: now + ttlMs,
        ...(webhook && { webhook: newWebhook(webhook) }),
      });
      // What becomes of a write that fails is not certain. So its message is sent: it runs the job, or removes what is
      // left of it.
      let writing = undefined as ReturnType<typeof write> | undefined;
      try {
        await send(name, async () => (writing = write(name, body, job)).catch(() => {}));
      } catch (error) {
        const written = await writing?.catch(() => undefined);
        if (written?.isNew) await withdraw(name).catch(() => {});
        throw error;
      }
      if (!writing) throw new Error("The queue sent what was not written.");
      const { made, isNew } = await writing;
      if (!isNew) return sendAgain(nameOf(key, made), same(made, fingerprint));
      observer.job?.(made);
      return made;
    },
    read,
    async answer(caller, id) {
      const job = await read(caller, id);
      const body = job.answer && (await store.bytes(job.answer.object));
      if (job.answer && body) return { ...job.answer, body };
      if (isFinal(job)) throw new NearcastError("conflict", `The job was ${job.status}.`);
      throw new NearcastError("conflict", `The job is ${job.status}: it has no answer yet.`, {
        retryAfterSeconds: 1,
      });
    },
    async cancel(caller, id) {
      const found = await read(caller, id);
      const job = await finishNow(nameOf(await keyOf(caller, id), found), "canceled");
      if (!job) throw noJob(id);
      return job;
    },
    async remove(caller, id) {
      const job = await read(caller, id);
      await store.removeAll(nameOf(await keyOf(caller, id), job));
      if (isFinal(job)) return job;
      const canceled = moved(job, "canceled");
      observer.job?.(canceled);
      return canceled;
    },
    run,
    begin(perform, isAnswering) {
      stop ??= consume?.(async (message, tries) => {
        await (turns ? waitForQuiet(turns) : waitWhile(isAnswering, LONGEST_QUIET_MS));
        return run(message, tries, perform);
      }, config.jobConcurrency);
    },
    async end() {
      await stop?.();
      await delivery.end();
    },
  };
}

function failure({ request }: Job, detail: string): JobAnswer {
  const id = request.headers["x-request-id"] ?? "";
  return {
    status: 500,
    headers: { "content-type": "application/problem+json", "x-request-id": id },
    body: new TextEncoder().encode(
      JSON.stringify(problem(new NearcastError("internal", detail), id)),
    ),
  };
}

function same(job: Job, fingerprint: string): Job {
  if (job.fingerprint === fingerprint) return job;
  throw new NearcastError("invalid_input", `The id ${job.id} belongs to a job of another request.`);
}

/** Whether nothing has happened to it since it was made. */
function isUntouched({ events }: Job): boolean {
  return events.length === 1;
}

function noQueue(cause?: unknown): NearcastError {
  return new NearcastError("overloaded", "The queue takes no job at present.", {
    cause,
    retryAfterSeconds: RETRY_SECONDS,
  });
}

function noJob(id: string): NearcastError {
  return new NearcastError("not_found", `You have no job ${id}, or its time is over.`);
}
