import { NearcastError } from "../errors.ts";
import { boundJobStore } from "../jobs/bound-job-store.ts";
import { partsOf } from "../jobs/job-store.ts";
import type { PutCondition, Store } from "../model/store.ts";
import { hasEnded, type Batch, type Counts, type Lane } from "./batch.ts";

const FOLDER = ".jobs";
/** The chunks of a batch are done in so many lanes, so that other jobs come between them. */
export const LANES = 8;
const MOST_CHANGES = 40;
const REMOVED_AT_ONCE = 16;

const NO_LANE: Lane = { done: 0, completed: 0, failed: 0, outputBytes: 0, errorBytes: 0 };
const recordOf = (key: string) => `${FOLDER}/${key}/batch.json`;
const objectOf = (name: string, what: string) => `${FOLDER}/${name}/${what}`;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/**
 * Batches in a store: `.jobs/<key>/batch.json`, and in `.jobs/<name>/` the upload, chunks, their answers and the lanes. A
 * `name` is a key with a generation, and is what messages carry. For what has another generation, the batch counts as absent.
 * What else lies in a folder of its own has its key as name.
 */
export type BatchStore = ReturnType<typeof createBatchStore>;

/** All methods reject with `store_unavailable` when the store does not answer within `timeoutMs`. */
export function createBatchStore(store: Store, timeoutMs: number) {
  const bounded = boundJobStore(timeoutMs);

  async function get(object: string): Promise<{ value: unknown; etag: string } | undefined> {
    const found = await bounded(store.get(object));
    if (!found || found === "not-modified") return undefined;
    const value: unknown = JSON.parse(new TextDecoder().decode(found.bytes));
    return { value, etag: found.etag };
  }

  async function getBatch(key: string) {
    const found = await get(recordOf(key));
    return found && { batch: found.value as Batch, etag: found.etag };
  }

  async function getNamed(name: string) {
    const { key, generation } = partsOf(name);
    const found = await getBatch(key);
    return found?.batch.generation === generation ? found : undefined;
  }

  const put = (key: string, batch: Batch, condition: PutCondition) =>
    bounded(store.put(recordOf(key), encode(batch), condition));

  async function readLane(name: string, lane: number): Promise<Lane> {
    const found = await get(objectOf(name, `lane-${lane}`));
    return (found?.value as Lane | undefined) ?? NO_LANE;
  }

  async function change(
    name: string,
    next: (batch: Batch) => Batch | undefined,
  ): Promise<Batch | undefined> {
    for (let tries = 0; tries < MOST_CHANGES; tries++) {
      const found = await getNamed(name);
      if (!found) return undefined;
      const batch = next(found.batch);
      if (!batch) return found.batch;
      if (await put(partsOf(name).key, batch, { ifMatch: found.etag })) return batch;
    }
    throw contended();
  }

  async function bytes(name: string, what: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const found = await bounded(store.get(objectOf(name, what)));
    return found && found !== "not-modified" ? new Uint8Array(found.bytes) : undefined;
  }

  async function sweep(name: string): Promise<void> {
    const objects = await bounded(store.list(objectOf(name, "")));
    for (let first = 0; first < objects.length; first += REMOVED_AT_ONCE)
      await Promise.all(
        objects
          .slice(first, first + REMOVED_AT_ONCE)
          .map((object) => bounded(store.delete(object))),
      );
  }

  return {
    /** The batch of a key, whatever its generation. */
    find: async (key: string) => (await getBatch(key))?.batch,
    read: async (name: string) => (await getNamed(name))?.batch,

    /**
     * Writes a new batch. Gives the one that is there already instead, unless it has ended and its time is over. Then it is
     * given as `replaced`. Rejects with `store_unavailable` while such a one is being removed.
     */
    async create(name: string, batch: Batch): Promise<{ made: Batch; replaced?: Batch }> {
      const { key } = partsOf(name);
      for (let tries = 0; tries < MOST_CHANGES; tries++) {
        if (await put(key, batch, { ifNoneMatch: "*" })) return { made: batch };
        const found = await getBatch(key);
        // It was removed between the two requests.
        if (!found) continue;
        const { batch: before, etag } = found;
        if (!hasEnded(before) || before.expiresAt > Date.now()) return { made: before };
        if (before.isLeaving) break;
        if (await put(key, batch, { ifMatch: etag })) return { made: batch, replaced: before };
      }
      throw contended();
    },

    /**
     * Writes what `next` makes of the batch, by compare-and-swap, and gives it. Gives it as it is where `next` makes
     * nothing of it. Undefined where there is none.
     */
    change,

    readLane,
    lanes: (name: string) =>
      Promise.all(Array.from({ length: LANES }, (_, lane) => readLane(name, lane))),

    /** Counts a chunk, once. */
    async advance(name: string, chunk: number, counts: Counts): Promise<void> {
      const [lane, done] = [chunk % LANES, Math.floor(chunk / LANES)];
      const object = objectOf(name, `lane-${lane}`);
      const found = await get(object);
      const before = (found?.value as Lane | undefined) ?? NO_LANE;
      if (before.done !== done) return;
      const next = encode({
        done: done + 1,
        completed: before.completed + counts.completed,
        failed: before.failed + counts.failed,
        outputBytes: before.outputBytes + counts.outputBytes,
        errorBytes: before.errorBytes + counts.errorBytes,
      });
      // Whoever was sooner has counted the same.
      await bounded(
        store.put(object, next, found ? { ifMatch: found.etag } : { ifNoneMatch: "*" }),
      );
    },

    /** Writes bytes beside the batch. With `once`, gives false where they are there already. */
    async write(name: string, what: string, bytes: Uint8Array, { once = false } = {}) {
      const condition = once ? ({ ifNoneMatch: "*" } as const) : undefined;
      return (await bounded(store.put(objectOf(name, what), bytes, condition))) !== undefined;
    },

    bytes,

    /** Some of the bytes. */
    async slice(name: string, what: string, start: number, end: number) {
      return store.slice
        ? bounded(store.slice(objectOf(name, what), start, end))
        : (await bytes(name, what))?.subarray(start, end);
    },

    remove: (name: string, what: string) => bounded(store.delete(objectOf(name, what))),

    /** Removes the batch and all that lies there of it. The batch itself first: whoever finds none does nothing. */
    async removeAll(name: string): Promise<void> {
      // Marked first: a new batch of this id could take its place, and would be removed.
      const found = await change(name, (one) =>
        one.isLeaving ? undefined : { ...one, isLeaving: true },
      );
      if (found) await bounded(store.delete(recordOf(partsOf(name).key)));
      await sweep(name);
    },

    /** Removes what lies there of it beside the batch. */
    sweep,
  };
}

function contended(): NearcastError {
  return new NearcastError("store_unavailable", "Too many change this batch at once.", {
    retryAfterSeconds: 1,
  });
}
