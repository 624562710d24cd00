import type { Caller } from "../auth/caller.ts";
import type { BatchInput } from "../batches/batch.ts";
import { createBatchStore } from "../batches/batch-store.ts";
import { longestUploadMs, storeUpload } from "../batches/store-upload.ts";
import { openInput } from "../batches/stored-source.ts";
import { NearcastError } from "../errors.ts";
import type { Source } from "../inputs/source.ts";
import type { OtherMessages } from "../jobs/jobs.ts";
import { createKeyOf } from "../jobs/key-of.ts";
import { createListing, newId, readPage, type Page, type PageOptions } from "../jobs/listing.ts";
import type { Outcome } from "../jobs/queue.ts";
import type { Platform } from "../platform/types.ts";
import type { LinesOfBatch, Parts, StoredFile } from "./file.ts";
import { withFirstLine } from "./first-line.ts";

/** A file of which every byte has arrived. */
export type WholeFile = StoredFile & Required<Pick<StoredFile, "content">>;

export type UploadedFile = WholeFile & { content: Parts };

/** A file that a batch has made. */
export interface MadeFile extends Omit<WholeFile, "createdAt" | "expiresAt"> {
  expiresAfterMs: number;
  content: LinesOfBatch;
}

/** An upload. What is in its form may come after the bytes, so it is asked for when they have arrived. */
export interface Upload {
  bytes: AsyncIterable<Uint8Array>;
  described: () => { filename: string; expiresAfterMs?: number | undefined };
}

/**
 * Files of callers. Methods with an id reject with `not_found` for a file of somebody else. All reject with
 * `store_unavailable` where the store does not answer.
 */
export interface Files extends OtherMessages {
  /** Stores JSONL while it arrives. Rejects as {@link storeUpload} does, with what `described` throws, and for other files. */
  make(caller: Caller, upload: Upload): Promise<WholeFile>;
  read(caller: Caller, id: string): Promise<WholeFile>;
  list(
    caller: Caller,
    options: PageOptions,
    isWanted: (file: WholeFile) => boolean,
  ): Promise<Page<WholeFile>>;
  /** Removes the file, and its bytes where they are an upload. Gives it as it was. */
  remove(caller: Caller, id: string): Promise<WholeFile>;
  /** The bytes of an upload. */
  open(caller: Caller, file: UploadedFile): Promise<Source>;
  /** An upload as the input of a batch. */
  inputOf(caller: Caller, file: UploadedFile): Promise<BatchInput>;
  /** Adds what a batch has made to the files of the caller with this name. The same again changes nothing. */
  add(name: string, file: MadeFile): Promise<void>;
  /** Removes what a batch had made, where it is there. */
  removeOf(name: string, ids: readonly string[]): Promise<void>;
}

const MESSAGE = /^([0-9a-f]{64})\.file$/;
const RECORD = "file.json";

/** What lies in the store: whose it is, too, so that a message can take it off the caller's list. */
interface Kept {
  list: string;
  file: StoredFile;
}

/** Undefined where the platform has no batches: files are for them. */
export function createFiles(
  platform: Pick<Platform, "jobs" | "config" | "sha256" | "store">,
): Files | undefined {
  const { jobs, config, store } = platform;
  if (!jobs) return undefined;
  const { queue, storeExpires = false } = jobs;
  const { maxFileBytes, limits, jobResultTtlMs, storeTimeoutMs } = config;
  const own = createBatchStore(jobs.store, storeTimeoutMs);
  const listing = createListing(jobs.store, storeTimeoutMs);
  const keyOf = createKeyOf(platform, "file\n", noFile);
  const listOf = ({ name }: Pick<Caller, "name">) => platform.sha256(`files\n${name}`);

  async function kept(key: string): Promise<Kept | undefined> {
    const bytes = await own.bytes(key, RECORD);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Kept);
  }

  const write = (key: string, record: Kept) =>
    own.write(key, RECORD, new TextEncoder().encode(JSON.stringify(record)));

  async function find(key: string): Promise<WholeFile | undefined> {
    const file = (await kept(key))?.file;
    return file && isWhole(file) && file.expiresAt > Date.now() ? file : undefined;
  }

  /** The record first: whoever finds none knows of no file. */
  async function removeAll(key: string, { list, file }: Kept): Promise<void> {
    await own.remove(key, RECORD);
    await listing.remove(list, file.id);
    await own.sweep(key);
  }

  async function read(caller: Caller, id: string): Promise<WholeFile> {
    const found = await find(await keyOf(caller, id));
    if (!found) throw noFile(id);
    return found;
  }

  async function begin(key: string, record: Kept): Promise<void> {
    try {
      await queue.send(`${key}.file`, async () => void (await write(key, record)));
    } catch (cause) {
      if (cause instanceof NearcastError) throw cause;
      const detail = "The queue takes no file at present.";
      throw new NearcastError("overloaded", detail, { cause, retryAfterSeconds: 5 });
    }
  }

  return {
    async make(caller, { bytes, described }) {
      const createdAt = Date.now();
      const id = newId("file-");
      const key = await keyOf(caller, id);
      const list = await listOf(caller);
      const expiresAt = createdAt + jobResultTtlMs;
      const begun = { list, file: { id, filename: "", size: 0, createdAt, expiresAt } };
      // Before the upload, so that nothing stays of one that never ends.
      await begin(key, begun);
      try {
        const lines = withFirstLine(bytes, limits.bodyBytes);
        const { input } = await storeUpload(lines, maxFileBytes, (what, part) =>
          own.write(key, what, part),
        );
        const { filename, expiresAfterMs = jobResultTtlMs } = described();
        const whole = {
          ...begun.file,
          filename,
          size: input.size,
          expiresAt: createdAt + expiresAfterMs,
          content: input as Parts,
        };
        await listing.add(list, id);
        await write(key, { list, file: whole });
        return whole;
      } catch (error) {
        await removeAll(key, begun);
        throw error;
      }
    },
    read,
    async list(caller, options, isWanted) {
      const ids = await listing.ids(await listOf(caller));
      return readPage(ids, options, async (id) => {
        const file = await find(await keyOf(caller, id));
        return file && isWanted(file) ? file : undefined;
      });
    },
    async remove(caller, id) {
      const file = await read(caller, id);
      await removeAll(await keyOf(caller, id), { list: await listOf(caller), file });
      return file;
    },
    open: async (caller, { id, content }) =>
      openInput(content, await keyOf(caller, id), {
        own,
        store,
        timeoutMs: storeTimeoutMs,
        isSent: true,
      }),
    inputOf: async (caller, { id, content }) => ({ ...content, of: await keyOf(caller, id) }),
    async add(name, { expiresAfterMs, ...made }) {
      const key = await keyOf({ name }, made.id);
      if (await kept(key)) return;
      const list = await listOf({ name });
      const createdAt = Date.now();
      await listing.add(list, made.id);
      const expiresAt = createdAt + expiresAfterMs;
      await begin(key, { list, file: { ...made, createdAt, expiresAt } });
    },
    async removeOf(name, ids) {
      for (const id of ids) {
        const key = await keyOf({ name }, id);
        const record = await kept(key);
        if (record) await removeAll(key, record);
      }
    },
    owns: (message) => MESSAGE.test(message),
    /** Removes a file when its time is over, and an upload that never ended. */
    async run(message): Promise<Outcome> {
      const [, key = ""] = MESSAGE.exec(message) ?? [];
      const record = await kept(key);
      if (!record) return "done";
      const { file } = record;
      const endsAt = isWhole(file) ? file.expiresAt : file.createdAt + longestUploadMs(config);
      const left = endsAt - Date.now();
      if (left <= 0) {
        await removeAll(key, record);
        return "done";
      }
      return storeExpires && isWhole(file) ? "done" : { retryAfterSeconds: Math.ceil(left / 1000) };
    },
  };
}

/** Whether the bytes are those of an upload. They are a batch's answers otherwise. */
export function isUploaded(file: WholeFile): file is UploadedFile {
  return "parts" in file.content;
}

function isWhole(file: StoredFile): file is WholeFile {
  return file.content !== undefined;
}

function noFile(id: string): NearcastError {
  return new NearcastError("not_found", `You have no file ${id}, or its time is over.`);
}
