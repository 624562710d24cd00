import type { Caller } from "../auth/caller.ts";
import { invalidInput, NearcastError } from "../errors.ts";
import type { LinesOfBatch } from "../files/file.ts";
import type { Files } from "../files/files.ts";
import type { Source } from "../inputs/source.ts";
import type { OtherMessages } from "../jobs/jobs.ts";
import { nameOf } from "../jobs/job-store.ts";
import { createKeyOf } from "../jobs/key-of.ts";
import { createListing, readPage, type Page, type PageOptions } from "../jobs/listing.ts";
import type { Turns } from "../load/turns.ts";
import type { Platform } from "../platform/types.ts";
import type { Resolve } from "../record-call.ts";
import type { Delivery } from "../webhooks/deliver.ts";
import { newBatch, newRequestsBatch, type AskedBatch, type AskedRequests } from "./asked.ts";
import { changed, hasEnded, type Batch } from "./batch.ts";
import { createEnds, endingAs, idOfListed, listedAs, type BatchState } from "./batch-ends.ts";
import { linesOf, removeLines } from "./batch-lines.ts";
import { createBatchStore } from "./batch-store.ts";
import { createWork } from "./batch-work.ts";
import { dropWritings } from "./join-lines.ts";
import { storeUpload } from "./store-upload.ts";
import { checkBeside, objectOf, openInput, sizeOfObject } from "./stored-source.ts";

export type { BatchState };

/**
 * Files whose rows are answered later, in chunks that are messages of the queue. Methods with a caller reject with
 * `not_found` for a batch of somebody else. All reject with `store_unavailable` where the store does not answer.
 */
export interface Batches extends OtherMessages {
  /** Makes a batch, once for each id of a caller, as a job is made. */
  make(asked: AskedBatch): Promise<BatchState>;
  /** Makes a batch of requests. */
  makeRequests(asked: AskedRequests): Promise<BatchState>;
  read(caller: Caller, id: string): Promise<BatchState>;
  /** All batches of a caller, by the time of their making. */
  list(caller: Caller, options: PageOptions): Promise<Page<BatchState>>;
  /** The outputs or errors of all rows, in order. Rejects with `conflict` unless the batch has succeeded. */
  lines(caller: Caller, id: string, what: "output" | "errors"): Promise<Source>;
  /** The content of a file that a batch of requests has made. */
  linesOf(content: LinesOfBatch): Promise<AsyncIterable<Uint8Array>>;
  /** Removes it from the batch's answers. */
  removeLines(content: LinesOfBatch): Promise<void>;
  cancel(caller: Caller, id: string): Promise<BatchState>;
  /** Cancels the batch, and removes everything that is stored of it. */
  remove(caller: Caller, id: string): Promise<BatchState>;
}

interface BatchesOptions {
  resolve: Resolve;
  turns: Turns | undefined;
  files: Files | undefined;
  delivery: Delivery;
}

/** Undefined where the platform has none. */
export function createBatches(
  platform: Pick<Platform, "jobs" | "store" | "config" | "sha256" | "turnEventLoop" | "log">,
  { resolve, turns, files, delivery }: BatchesOptions,
): Batches | undefined {
  const { jobs, config, sha256, log } = platform;
  if (!jobs || !files) return undefined;
  const { queue, storeExpires = false } = jobs;
  const own = createBatchStore(jobs.store, config.storeTimeoutMs);
  const ttlMs = config.jobResultTtlMs;
  const cutting = { platform, own, resolve, turns };
  const listing = createListing(jobs.store, config.storeTimeoutMs);
  const listOf = (name: string) => sha256(`batches\n${name}`);

  const keyOf = createKeyOf(platform, "batch\n", noBatch);
  const sendNow = (message: string, write: () => Promise<void> = async () => {}) =>
    queue.send(message, write).catch((cause: unknown) => {
      if (cause instanceof NearcastError) throw cause;
      throw new NearcastError("overloaded", "The queue takes no batch at present.", {
        cause,
        retryAfterSeconds: 5,
      });
    });

  const ends = createEnds({ own, files, listing, listOf, send: sendNow, log, ttlMs });
  const { current, finish, removeAll, stateOf, tellSoon } = ends;

  async function read(caller: Caller, id: string) {
    const key = await keyOf(caller, id);
    const batch = await current(key);
    if (!batch) throw noBatch(id);
    return { name: nameOf(key, batch), batch };
  }

  /** Writes a new batch, and its place in the list. Gives the one that is there already instead. */
  async function write(name: string, batch: Batch): Promise<Batch> {
    const { made, replaced } = await own.create(name, batch);
    const list = await listOf(batch.caller.name);
    if (replaced) await listing.remove(list, listedAs(replaced));
    await listing.add(list, listedAs(made));
    return made;
  }

  /** Stores an upload below the batch of this name. Without a name, only digests it. */
  async function inputOf(asked: AskedBatch, name?: string) {
    const { input, caller } = asked;
    if (!("object" in input))
      return storeUpload(
        input,
        config.maxFileBytes,
        name === undefined ? undefined : (what, bytes) => own.write(name, what, bytes),
      ).catch(withRemedy);
    const object = objectOf(caller.name, input.object);
    const { storeTimeoutMs: timeoutMs } = config;
    const size = await sizeOfObject(platform.store, object, timeoutMs);
    if (name !== undefined) await checkBeside(platform.store, object, { id: asked.id, timeoutMs });
    return { input: { object, size }, digest: `${object}\n${size}` };
  }

  return {
    async make(asked) {
      const { caller, id, format, header, parameters, version, webhook } = asked;
      const key = await keyOf(caller, id);
      const known = await current(key);
      const generation = known?.generation ?? crypto.randomUUID();
      const told = webhook ? [webhook.url, webhook.statuses] : [];
      const words = JSON.stringify([version.manifest.name, format, header, parameters, ...told]);
      if (known && known.status !== "queued") {
        const { digest: fingerprint } = await inputOf(asked);
        return stateOf(nameOf(key, known), same(known, await sha256(`${words}\n${fingerprint}`)));
      }
      if (webhook) await delivery.check(caller, webhook);
      const batch = newBatch(asked, generation, ttlMs);
      // Before the upload, so that nothing stays of one that never ends.
      let made = batch;
      await sendNow(`${nameOf(key, batch)}.keep`, async () => {
        made = await write(nameOf(key, batch), batch);
      });
      const name = nameOf(key, made);
      let whole: Batch | undefined;
      try {
        const { input, digest: content } = await inputOf(asked, name);
        const fingerprint = await sha256(`${words}\n${content}`);
        await sendNow(`${name}.cut`, async () => {
          whole = await own.change(name, (one) =>
            one.status === "queued" && !one.isLeaving
              ? changed(
                  { ...batch, generation: one.generation, events: one.events },
                  "validating",
                  { input, fingerprint },
                )
              : undefined,
          );
        });
        if (!whole || whole.isLeaving) throw noBatch(id);
        return await stateOf(name, same(whole, fingerprint));
      } catch (error) {
        const left = whole ?? (await own.read(name));
        if (!left) await own.sweep(name);
        else if (left.status === "queued") await removeAll(name, left);
        throw error;
      }
    },
    async makeRequests(asked) {
      const { caller, id, webhook } = asked;
      if (webhook) await delivery.check(caller, webhook);
      const batch = newRequestsBatch(asked);
      const name = nameOf(await keyOf(caller, id), batch);
      await sendNow(`${name}.keep`, async () => void (await write(name, batch)));
      try {
        await sendNow(`${name}.cut`);
      } catch (error) {
        await removeAll(name, batch);
        throw error;
      }
      return stateOf(name, batch);
    },
    async list(caller, { after, ...options }) {
      const names = await listing.ids(await listOf(caller.name));
      const last = after === undefined ? undefined : nameAfter(names, after);
      return readPage(names, { ...options, after: last }, async (listed) => {
        const key = await keyOf(caller, idOfListed(listed));
        const batch = await current(key);
        return batch && listedAs(batch) === listed ? stateOf(nameOf(key, batch), batch) : undefined;
      });
    },
    async linesOf({ batch: name, what }) {
      const batch = await own.read(name);
      if (!batch) throw noBatch("of this file");
      return linesOf(own, name, batch, what);
    },
    async removeLines({ batch: name, what }) {
      const { chunks } = (await own.read(name))?.cut ?? { chunks: 0 };
      for (let chunk = 0; chunk < chunks; chunk++) await removeLines(own, name, chunk, what);
    },
    async read(caller, id) {
      const { name, batch } = await read(caller, id);
      return stateOf(name, batch);
    },
    async lines(caller, id, what) {
      const { name, batch } = await read(caller, id);
      if (batch.status !== "succeeded")
        throw new NearcastError("conflict", `The batch is ${batch.status}.`, {
          ...(!hasEnded(batch) && { retryAfterSeconds: 1 }),
        });
      if (batch.requests)
        throw new NearcastError("not_found", "The answers of this batch are files of their own.");
      const { store } = platform;
      const found = batch[what];
      return found
        ? openInput(found, name, { own, store, timeoutMs: config.storeTimeoutMs, isSent: true })
        : { size: 0, slice: async () => new Uint8Array() };
    },
    async cancel(caller, id) {
      const { name, batch: found } = await read(caller, id);
      const isLeft = found.requests && found.status === "running";
      const batch = await (isLeft
        ? own.change(name, endingAs("canceled"))
        : finish(name, "canceled"));
      if (!batch) throw noBatch(id);
      if (!hasEnded(found)) await tellSoon(name, batch);
      return stateOf(name, batch);
    },
    async remove(caller, id) {
      const { name, batch } = await read(caller, id);
      const state = await stateOf(name, hasEnded(batch) ? batch : changed(batch, "canceled"));
      await dropWritings(batch, { store: platform.store, timeoutMs: config.storeTimeoutMs });
      await removeAll(name, batch);
      return state;
    },
    ...createWork({
      cutting,
      ends,
      send: sendNow,
      deliver: delivery.of("batch", own),
      storeExpires,
    }),
  };
}

/** Where a page begins: behind this id, which need not be there any more where it has the time of its making in it. */
function nameAfter(names: readonly string[], id: string): string {
  const [, time] = /^batch_([0-9a-f]{12})/.exec(id) ?? [];
  const name = names.find((one) => idOfListed(one) === id) ?? (time && `${time}.${id}`);
  if (name) return name;
  throw invalidInput([{ path: "after", message: "is no batch of yours" }]);
}

function same(batch: Batch, fingerprint: string): Batch {
  if (batch.fingerprint === fingerprint) return batch;
  throw new NearcastError("invalid_input", `The id ${batch.id} belongs to another batch.`);
}

/** A larger file may lie in the store. */
function withRemedy(error: unknown): never {
  if (!(error instanceof NearcastError) || error.code !== "body_too_large") throw error;
  const { message } = error;
  throw new NearcastError(
    "body_too_large",
    `${message} Put a larger one into the store, and name it as input.object.`,
  );
}

function noBatch(id: string): NearcastError {
  return new NearcastError("not_found", `You have no batch ${id}, or its time is over.`);
}
