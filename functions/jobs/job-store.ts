import { NearcastError } from "../errors.ts";
import type { PutCondition, Store } from "../model/store.ts";
import { boundJobStore } from "./bound-job-store.ts";
import { isFinal, isOver, type Job } from "./job.ts";

const FOLDER = ".jobs";
/** Two consumers and a client change one job at the most. */
const MOST_CHANGES = 20;

/**
 * Jobs in a store: `.jobs/<key>/job.json`, and beside it what was asked and what was answered. A `name` is a key with a
 * generation, and is what a message carries. For what lies there of another generation, its job counts as absent.
 */
export interface JobStore {
  /** The job of a key, whatever its generation. */
  find(key: string): Promise<Job | undefined>;
  read(name: string): Promise<Job | undefined>;
  /**
   * Writes a new job. Gives the one that is there already instead, unless it has ended and its time is over. Rejects with
   * `store_unavailable` while such a one is being removed.
   */
  create(name: string, job: Job): Promise<Job>;
  /**
   * Writes what `next` makes of the job, by compare-and-swap, and gives it. Gives the job as it is where `next` makes
   * nothing of it. Undefined where there is none.
   */
  change(name: string, next: (job: Job) => Job | undefined): Promise<Job | undefined>;
  /** Writes bytes beside the job, and gives the name of the object. */
  write(name: string, what: "input" | "answer", bytes: Uint8Array): Promise<string>;
  bytes(object: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  remove(object: string): Promise<void>;
  /** Removes the job of this key, and all that lies there of this generation. */
  removeAll(name: string): Promise<void>;
  /** Removes what lies there of this generation beside the job. */
  sweep(name: string): Promise<void>;
}

/** The name of a job: what a message carries. */
export function nameOf(key: string, { generation }: Pick<Job, "generation">): string {
  return `${key}.${generation}`;
}

/** All methods reject with `store_unavailable` when the store does not answer within `timeoutMs`. */
export function createJobStore(store: Store, timeoutMs: number): JobStore {
  const bounded = boundJobStore(timeoutMs);

  async function get(key: string) {
    const found = await bounded(store.get(recordOf(key)));
    if (!found || found === "not-modified") return undefined;
    return { job: JSON.parse(new TextDecoder().decode(found.bytes)) as Job, etag: found.etag };
  }

  async function getNamed(name: string) {
    const { key, generation } = partsOf(name);
    const found = await get(key);
    return found?.job.generation === generation ? found : undefined;
  }

  const put = (key: string, job: Job, condition: PutCondition) =>
    bounded(store.put(recordOf(key), new TextEncoder().encode(JSON.stringify(job)), condition));

  async function sweep(name: string): Promise<void> {
    const { key, generation } = partsOf(name);
    const objects = await bounded(store.list(`${FOLDER}/${key}/`));
    for (const object of objects)
      if (object.includes(`-${generation}-`)) await bounded(store.delete(object));
  }

  return {
    find: async (key) => (await get(key))?.job,
    read: async (name) => (await getNamed(name))?.job,
    async create(name, job) {
      const { key } = partsOf(name);
      let condition: PutCondition = { ifNoneMatch: "*" };
      for (let tries = 0; tries < MOST_CHANGES; tries++) {
        if (await put(key, job, condition)) return job;
        const found = await get(key);
        if (found && !(isFinal(found.job) && isOver(found.job))) return found.job;
        if (found?.job.isLeaving) break;
        if (found?.job.answer) await bounded(store.delete(found.job.answer.object));
        // Absent: it was removed between the two requests.
        condition = found ? { ifMatch: found.etag } : { ifNoneMatch: "*" };
      }
      throw contended();
    },
    async change(name, next) {
      const { key } = partsOf(name);
      for (let tries = 0; tries < MOST_CHANGES; tries++) {
        const found = await getNamed(name);
        if (!found) return undefined;
        const job = next(found.job);
        if (!job) return found.job;
        if (await put(key, job, { ifMatch: found.etag })) return job;
      }
      throw contended();
    },
    async write(name, what, bytes) {
      const { key, generation } = partsOf(name);
      const object = `${FOLDER}/${key}/${what}-${generation}-${crypto.randomUUID()}`;
      await bounded(store.put(object, bytes));
      return object;
    },
    async bytes(object) {
      const found = await bounded(store.get(object));
      return found && found !== "not-modified" ? new Uint8Array(found.bytes) : undefined;
    },
    remove: (object) => bounded(store.delete(object)),
    async removeAll(name) {
      // The job first: a consumer that finds none does nothing.
      await bounded(store.delete(recordOf(partsOf(name).key)));
      await sweep(name);
    },
    sweep,
  };
}

function recordOf(key: string): string {
  return `${FOLDER}/${key}/job.json`;
}

/** The parts of a name. Its generation is empty where it is a key alone. */
export function partsOf(name: string): { key: string; generation: string } {
  const [key = "", generation = ""] = name.split(".");
  return { key, generation };
}

function contended(): NearcastError {
  return new NearcastError("store_unavailable", "Too many change this job at once.", {
    retryAfterSeconds: 1,
  });
}
