import { NearcastError } from "../errors.ts";
import { boundJobStore } from "../jobs/bound-job-store.ts";
import type { Store } from "../model/store.ts";
import type { Batch, Counts, Lane } from "./batch.ts";

const FOLDER = ".jobs";
/** The chunks of a batch are done in so many lanes, so that other jobs come between them. */
export const LANES = 8;
const MOST_CHANGES = 40;
const REMOVED_AT_ONCE = 16;

const NO_LANE: Lane = { done: 0, completed: 0, failed: 0, outputBytes: 0, errorBytes: 0 };
const nameOf = (key: string, what: string) => `${FOLDER}/${key}/${what}`;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Batches in a store: `.jobs/<key>/batch.json`, and beside it the upload, chunks, their answers and the lanes. */
export type BatchStore = ReturnType<typeof createBatchStore>;

/** All methods reject with `store_unavailable` when the store does not answer within `timeoutMs`. */
export function createBatchStore(store: Store, timeoutMs: number) {
  const bounded = boundJobStore(timeoutMs);

  async function get(name: string): Promise<{ value: unknown; etag: string } | undefined> {
    const found = await bounded(store.get(name));
    if (!found || found === "not-modified") return undefined;
    const value: unknown = JSON.parse(new TextDecoder().decode(found.bytes));
    return { value, etag: found.etag };
  }

  const readBatch = async (key: string) =>
    (await get(nameOf(key, "batch.json")))?.value as Batch | undefined;

  async function readLane(key: string, lane: number): Promise<Lane> {
    const found = await get(nameOf(key, `lane-${lane}`));
    return (found?.value as Lane | undefined) ?? NO_LANE;
  }

  return {
    read: readBatch,

    /** Writes a new batch. Gives the one that is there already instead. */
    async create(key: string, batch: Batch): Promise<Batch> {
      const name = nameOf(key, "batch.json");
      if (await bounded(store.put(name, encode(batch), { ifNoneMatch: "*" }))) return batch;
      return (await readBatch(key)) ?? batch;
    },

    /**
     * Writes what `next` makes of the batch, by compare-and-swap, and gives it. Gives it as it is where `next` makes
     * nothing of it. Undefined where there is none.
     */
    async change(
      key: string,
      next: (batch: Batch) => Batch | undefined,
    ): Promise<Batch | undefined> {
      const name = nameOf(key, "batch.json");
      for (let tries = 0; tries < MOST_CHANGES; tries++) {
        const found = await get(name);
        if (!found) return undefined;
        const batch = next(found.value as Batch);
        if (!batch) return found.value as Batch;
        if (await bounded(store.put(name, encode(batch), { ifMatch: found.etag }))) return batch;
      }
      throw new NearcastError("store_unavailable", "Too many change this batch at once.", {
        retryAfterSeconds: 1,
      });
    },

    readLane,
    lanes: (key: string) =>
      Promise.all(Array.from({ length: LANES }, (_, lane) => readLane(key, lane))),

    /** Counts a chunk, once. */
    async advance(key: string, chunk: number, counts: Counts): Promise<void> {
      const [lane, done] = [chunk % LANES, Math.floor(chunk / LANES)];
      const name = nameOf(key, `lane-${lane}`);
      const found = await get(name);
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
      await bounded(store.put(name, next, found ? { ifMatch: found.etag } : { ifNoneMatch: "*" }));
    },

    /** Writes bytes beside the batch. With `once`, gives false where they are there already. */
    async write(key: string, what: string, bytes: Uint8Array, { once = false } = {}) {
      const name = nameOf(key, what);
      return (
        (await bounded(store.put(name, bytes, once ? { ifNoneMatch: "*" } : undefined))) !==
        undefined
      );
    },

    async bytes(key: string, what: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
      const found = await bounded(store.get(nameOf(key, what)));
      return found && found !== "not-modified" ? new Uint8Array(found.bytes) : undefined;
    },

    remove: (key: string, what: string) => bounded(store.delete(nameOf(key, what))),

    /** Removes all that is stored of a batch. The batch itself first: whoever finds none does nothing. */
    async removeAll(key: string): Promise<void> {
      await bounded(store.delete(nameOf(key, "batch.json")));
      const names = await bounded(store.list(nameOf(key, "")));
      for (let first = 0; first < names.length; first += REMOVED_AT_ONCE)
        await Promise.all(
          names.slice(first, first + REMOVED_AT_ONCE).map((name) => bounded(store.delete(name))),
        );
    },
  };
}
