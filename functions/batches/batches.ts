import type { Caller } from "../auth/caller.ts";
import { NearcastError } from "../errors.ts";
import { rowError, type Format } from "../inputs/row.ts";
import { storedCaller } from "../jobs/job.ts";
import type { Perform } from "../jobs/jobs.ts";
import { createKeyOf } from "../jobs/key-of.ts";
import type { Outcome } from "../jobs/queue.ts";
import type { Turns } from "../load/turns.ts";
import type { Resolved } from "../model/registry.ts";
import type { Platform } from "../platform/types.ts";
import type { Resolve } from "../predict.ts";
import { answerChunk, AskAgain } from "./answer-chunk.ts";
import type { RowAnswer } from "./answer-rows.ts";
import { changed, hasEnded, type Batch, type BatchStatus } from "./batch.ts";
import { createBatchStore, LANES } from "./batch-store.ts";
import { hasBatches } from "./has-batches.ts";
import { readAnswers, readChunk, writeAnswers, type Chunk } from "./chunk.ts";
import { cutFile } from "./cut-file.ts";
import { storeUpload } from "./store-upload.ts";
import { objectOf, sizeOfObject } from "./stored-source.ts";

/** What a batch is made of. */
export interface AskedBatch {
  caller: Caller;
  /** The client's own id, or a new one. */
  id: string;
  requestId: string;
  rateKey: string | undefined;
  format: Format;
  header?: "present" | "absent" | undefined;
  parameters?: unknown;
  /** An object of the caller's, or the file itself. */
  input: { object: string } | AsyncIterable<Uint8Array>;
  version: Resolved;
}

/** A batch, and how many of its rows are done. */
export interface BatchState {
  batch: Batch;
  completed: number;
  failed: number;
}

/**
 * Files whose rows are answered later, in chunks that are messages of the queue. Methods with a caller reject with
 * `not_found` for a batch of somebody else. All reject with `store_unavailable` where the store does not answer.
 */
export interface Batches {
  /** Makes a batch, once for each id of a caller, as a job is made. */
  make(asked: AskedBatch): Promise<BatchState>;
  read(caller: Caller, id: string): Promise<BatchState>;
  /** The outputs or errors of all rows, in order. Rejects with `conflict` unless the batch has succeeded. */
  lines(caller: Caller, id: string, what: "output" | "errors"): Promise<AsyncIterable<Uint8Array>>;
  cancel(caller: Caller, id: string): Promise<BatchState>;
  /** Cancels the batch, and removes everything that is stored of it. */
  remove(caller: Caller, id: string): Promise<BatchState>;
  /** Whether a message is one of a batch. */
  owns(message: string): boolean;
  /** Does the work of a message. */
  run(message: string, tries: number, perform: Perform): Promise<Outcome>;
}

/** A chunk whose process has ended so often is given up: it may be what ends them. */
const MOST_TRIES = 5;

/** `<key>.keep` removes a batch when its time is over, `<key>.cut` cuts its file, and `<key>.7` answers a chunk. */
const MESSAGE = /^([0-9a-f]{64})\.(keep|cut|\d+)$/;

/** Undefined where the platform has none. */
export function createBatches(
  platform: Pick<Platform, "name" | "jobs" | "store" | "config" | "sha256" | "turnEventLoop">,
  resolve: Resolve,
  turns: Turns | undefined,
): Batches | undefined {
  const { jobs, config, sha256 } = platform;
  if (!jobs || !hasBatches(platform)) return undefined;
  const { queue, storeExpires = false } = jobs;
  const own = createBatchStore(jobs.store, config.storeTimeoutMs);
  const ttlMs = config.jobResultTtlMs;
  const cutting = { platform, own, resolve, turns };

  const keyOf = createKeyOf(platform, "batch\n", noBatch);
  const sendNow = (message: string, write: () => Promise<void> = async () => {}) =>
    queue.send(message, write).catch((cause: unknown) => {
      if (cause instanceof NearcastError) throw cause;
      throw new NearcastError("overloaded", "The queue takes no batch at present.", {
        cause,
        retryAfterSeconds: 5,
      });
    });

  async function read(caller: Caller, id: string) {
    const key = await keyOf(caller, id);
    const batch = await current(key);
    if (!batch) throw noBatch(id);
    return { key, batch };
  }

  async function current(key: string): Promise<Batch | undefined> {
    const found = await own.read(key);
    if (!found || found.expiresAt > Date.now()) return found;
    return hasEnded(found) ? undefined : finish(key, "expired");
  }

  async function stateOf(key: string, batch: Batch): Promise<BatchState> {
    const lanes = batch.cut.chunks > 0 ? await own.lanes(key) : [];
    const sum = (name: "completed" | "failed") =>
      lanes.reduce((total, lane) => total + lane[name], 0);
    return { batch, completed: sum("completed"), failed: sum("failed") };
  }

  function finish(key: string, status: BatchStatus, change: Partial<Batch> = {}) {
    const expiresAt = Date.now() + ttlMs;
    return own.change(key, (one) =>
      hasEnded(one) ? undefined : changed(one, status, { ...change, expiresAt }),
    );
  }

  async function inputOf(key: string, asked: AskedBatch, write: boolean) {
    const { input, caller } = asked;
    if (!("object" in input))
      return storeUpload(
        input,
        config.maxFileBytes,
        write ? (what, bytes) => own.write(key, what, bytes) : undefined,
      );
    const object = objectOf(caller.name, input.object);
    const size = await sizeOfObject(platform.store, object, config.storeTimeoutMs);
    return { input: { object, size }, digest: `${object}\n${size}` };
  }

  async function runCut(key: string, batch: Batch, tries: number): Promise<Outcome> {
    if (tries > MOST_TRIES) {
      const detail = `The file was given up: ${MOST_TRIES} times the process ended that read it.`;
      await finish(key, "failed", { error: { code: "internal", detail } });
      return "done";
    }
    if (batch.status === "queued" || !batch.input) return { retryAfterSeconds: 1 };
    if (batch.status === "validating") {
      try {
        const isWhole = await cutFile(key, { ...batch, input: batch.input }, cutting);
        if (!isWhole) return { retryAfterSeconds: 1 };
      } catch (error) {
        await finish(key, "failed", { error: rowError(error) });
        return "done";
      }
      const all = await own.change(key, (one) =>
        one.status === "validating" ? changed(one, "running") : undefined,
      );
      if (!all || hasEnded(all)) return "done";
      batch = all;
    }
    for (let lane = 0; lane < Math.min(LANES, batch.cut.chunks); lane++)
      await sendNow(`${key}.${lane}`);
    if (batch.input && "parts" in batch.input) {
      const { parts, size, partBytes } = batch.input;
      for (let part = 0; part * partBytes < size; part++) await own.remove(key, `${parts}-${part}`);
    }
    return "done";
  }

  async function runChunk(
    key: string,
    batch: Batch,
    place: { chunk: number; tries: number },
    perform: Perform,
  ): Promise<Outcome> {
    const { chunk, tries } = place;
    const lane = await own.readLane(key, chunk % LANES);
    if (lane.done <= Math.floor(chunk / LANES)) {
      const bytes = await own.bytes(key, `in-${chunk}`);
      let made = await own.bytes(key, `out-${chunk}`);
      if (!made) {
        if (!bytes) return { retryAfterSeconds: 1 };
        const rows = readChunk(bytes);
        const answers =
          tries > MOST_TRIES ? givenUp(rows) : await answerChunk(batch, rows, perform);
        made = writeAnswers(rows, answers);
        if (!(await own.write(key, `out-${chunk}`, made, { once: true })))
          made = (await own.bytes(key, `out-${chunk}`)) ?? made;
      }
      await own.advance(key, chunk, readAnswers(made).counts);
      await own.remove(key, `in-${chunk}`);
      const now = await own.read(key);
      // It was removed meanwhile.
      if (!now) await own.removeAll(key);
      if (!now || hasEnded(now)) return "done";
    }
    if (chunk + LANES < batch.cut.chunks) await sendNow(`${key}.${chunk + LANES}`);
    else await finishIfDone(key, batch);
    return "done";
  }

  async function finishIfDone(key: string, { cut: { chunks } }: Batch): Promise<void> {
    const lanes = await own.lanes(key);
    if (lanes.reduce((sum, { done }) => sum + done, 0) >= chunks) await finish(key, "succeeded");
  }

  /** Removes a batch when its time is over, and an upload that never ended. */
  async function runKeep(key: string, batch: Batch): Promise<Outcome> {
    const [made] = batch.events;
    const isLost =
      batch.status === "queued" && (made?.at ?? 0) + 2 * config.jobTimeoutMs < Date.now();
    const left = batch.expiresAt - Date.now();
    if (isLost || (left <= 0 && hasEnded(batch))) {
      await own.removeAll(key);
      return "done";
    }
    if (left <= 0) await finish(key, "expired");
    else if (storeExpires && hasEnded(batch)) return "done";
    const next = batch.status === "queued" ? 2 * config.jobTimeoutMs : Math.max(left, 1000);
    return { retryAfterSeconds: Math.ceil(next / 1000) };
  }

  return {
    async make(asked) {
      const { caller, id, requestId, rateKey, format, header, parameters, version } = asked;
      const { manifest, reason, release } = version;
      const key = await keyOf(caller, id);
      const known = await current(key);
      const now = Date.now();
      const words = JSON.stringify([manifest.name, format, header, parameters]);
      if (known && known.status !== "queued") {
        const { digest: fingerprint } = await inputOf(key, asked, false);
        return stateOf(key, same(known, await sha256(`${words}\n${fingerprint}`)));
      }
      const batch: Batch = {
        id,
        caller: storedCaller(caller),
        requestId,
        ...(rateKey !== undefined && { rateKey }),
        model: manifest.name,
        version: manifest.version,
        digest: manifest.artifact.sha256,
        assignment: { version: manifest.version, reason, ...(release && { release }) },
        format,
        header,
        parameters,
        fingerprint: "",
        status: "queued",
        events: [{ status: "queued", at: now }],
        cut: { chunks: 0, rows: 0 },
        expiresAt: now + ttlMs,
      };
      // Before the upload, so that nothing stays of one that never ends.
      await sendNow(`${key}.keep`, async () => void (await own.create(key, batch)));
      let whole: Batch | undefined;
      try {
        const { input, digest: content } = await inputOf(key, asked, true);
        const fingerprint = await sha256(`${words}\n${content}`);
        await sendNow(`${key}.cut`, async () => {
          whole = await own.change(key, (one) =>
            one.status === "queued"
              ? changed({ ...batch, events: one.events }, "validating", { input, fingerprint })
              : undefined,
          );
        });
        if (!whole) throw noBatch(id);
        return await stateOf(key, same(whole, fingerprint));
      } catch (error) {
        if (!whole && (await own.read(key))?.status === "queued") await own.removeAll(key);
        throw error;
      }
    },
    async read(caller, id) {
      const { key, batch } = await read(caller, id);
      return stateOf(key, batch);
    },
    async lines(caller, id, what) {
      const { key, batch } = await read(caller, id);
      if (batch.status !== "succeeded")
        throw new NearcastError("conflict", `The batch is ${batch.status}.`, {
          ...(!hasEnded(batch) && { retryAfterSeconds: 1 }),
        });
      return linesOf(key, batch, what);
    },
    async cancel(caller, id) {
      const { key } = await read(caller, id);
      const batch = await finish(key, "canceled");
      if (!batch) throw noBatch(id);
      return stateOf(key, batch);
    },
    async remove(caller, id) {
      const { key, batch } = await read(caller, id);
      const state = await stateOf(key, hasEnded(batch) ? batch : changed(batch, "canceled"));
      await own.removeAll(key);
      return state;
    },
    owns: (message) => MESSAGE.test(message),
    async run(message, tries, perform) {
      const [, key = "", what = ""] = MESSAGE.exec(message) ?? [];
      const batch = await own.read(key);
      if (!batch) return "done";
      if (what === "keep") return runKeep(key, batch);
      if (hasEnded(batch)) return "done";
      if (what === "cut") return runCut(key, batch, tries);
      try {
        return await runChunk(key, batch, { chunk: Number(what), tries }, perform);
      } catch (error) {
        if (error instanceof AskAgain) return { retryAfterSeconds: error.seconds };
        throw error;
      }
    },
  };

  async function* linesOf(key: string, { cut: { chunks } }: Batch, what: "output" | "errors") {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const bytes = await own.bytes(key, `out-${chunk}`);
      if (!bytes) throw new Error(`The batch has lost chunk ${chunk}.`);
      const part = readAnswers(bytes)[what];
      if (part.length > 0) yield part;
    }
  }
}

function givenUp({ inputs, errors }: Chunk): RowAnswer[] {
  const detail = `The row was given up: ${MOST_TRIES} times the process ended that answered its chunk.`;
  return inputs.map((_, place) => ({ error: errors[place] ?? { code: "internal", detail } }));
}

function same(batch: Batch, fingerprint: string): Batch {
  if (batch.fingerprint === fingerprint) return batch;
  throw new NearcastError("invalid_input", `The id ${batch.id} belongs to another batch.`);
}

function noBatch(id: string): NearcastError {
  return new NearcastError("not_found", `You have no batch ${id}, or its time is over.`);
}
