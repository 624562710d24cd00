import { NearcastError } from "../errors.ts";
import type { PutCondition, Store } from "../model/store.ts";
import { boundJobStore } from "./bound-job-store.ts";
import { isFinal, isOver, type Job } from "./job.ts";

const FOLDER = ".jobs";
/** Two consumers and a client change one job at the most. */
const MOST_CHANGES = 20;

/** Jobs in a store: `.jobs/<key>/job.json`, and beside it what was asked and what was answered. */
export interface JobStore {
  read(key: string): Promise<Job | undefined>;
  /** Writes a new job. Gives the one that is there already instead, unless it has ended and its time is over. */
  create(key: string, job: Job): Promise<Job>;
  /**
   * Writes what `next` makes of the job, by compare-and-swap, and gives it. Gives the job as it is where `next` makes
   * nothing of it. Undefined where there is none.
   */
  change(key: string, next: (job: Job) => Job | undefined): Promise<Job | undefined>;
  /** Writes bytes beside the job, and gives the name of the object. */
  write(key: string, what: "input" | "answer", bytes: Uint8Array): Promise<string>;
  bytes(object: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  remove(object: string): Promise<void>;
  /** Removes the job and all that lies beside it. */
  removeAll(key: string): Promise<void>;
  /** Removes what lies there without a job. */
  sweep(key: string): Promise<void>;
}

/** All methods reject with `store_unavailable` when the store does not answer within `timeoutMs`. */
export function createJobStore(store: Store, timeoutMs: number): JobStore {
  const bounded = boundJobStore(timeoutMs);

  async function get(key: string) {
    const found = await bounded(store.get(recordOf(key)));
    if (!found || found === "not-modified") return undefined;
    return { job: JSON.parse(new TextDecoder().decode(found.bytes)) as Job, etag: found.etag };
  }

  const put = (key: string, job: Job, condition: PutCondition) =>
    bounded(store.put(recordOf(key), new TextEncoder().encode(JSON.stringify(job)), condition));

  const list = (key: string) => bounded(store.list(`${FOLDER}/${key}/`));

  return {
    read: async (key) => (await get(key))?.job,
    async create(key, job) {
      let condition: PutCondition = { ifNoneMatch: "*" };
      for (let tries = 0; tries < MOST_CHANGES; tries++) {
        if (await put(key, job, condition)) return job;
        const found = await get(key);
        if (found && !(isFinal(found.job) && isOver(found.job))) return found.job;
        if (found?.job.answer) await bounded(store.delete(found.job.answer.object));
        // Absent: it was removed between the two requests.
        condition = found ? { ifMatch: found.etag } : { ifNoneMatch: "*" };
      }
      throw contended();
    },
    async change(key, next) {
      for (let tries = 0; tries < MOST_CHANGES; tries++) {
        const found = await get(key);
        if (!found) return undefined;
        const job = next(found.job);
        if (!job) return found.job;
        if (await put(key, job, { ifMatch: found.etag })) return job;
      }
      throw contended();
    },
    async write(key, what, bytes) {
      const object = `${FOLDER}/${key}/${what}-${crypto.randomUUID()}`;
      await bounded(store.put(object, bytes));
      return object;
    },
    async bytes(object) {
      const found = await bounded(store.get(object));
      return found && found !== "not-modified" ? new Uint8Array(found.bytes) : undefined;
    },
    remove: (object) => bounded(store.delete(object)),
    async removeAll(key) {
      // The job first: a consumer that finds none does nothing.
      await bounded(store.delete(recordOf(key)));
      for (const object of await list(key)) await bounded(store.delete(object));
    },
    async sweep(key) {
      const objects = await list(key);
      if (objects.includes(recordOf(key))) return;
      for (const object of objects) await bounded(store.delete(object));
    },
  };
}

function recordOf(key: string): string {
  return `${FOLDER}/${key}/job.json`;
}

function contended(): NearcastError {
  return new NearcastError("store_unavailable", "Too many change this job at once.", {
    retryAfterSeconds: 1,
  });
}
