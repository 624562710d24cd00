import type { Files } from "../files/files.ts";
import type { Listing } from "../jobs/listing.ts";
import { changed, hasEnded, type Batch, type BatchStatus, type Counts } from "./batch.ts";
import type { BatchStore } from "./batch-store.ts";

/** A batch, and what its lanes have counted. */
export interface BatchState extends Counts {
  batch: Batch;
}

/** How batches end, and what is left of them. */
export type Ends = ReturnType<typeof createEnds>;

interface EndsOptions {
  own: BatchStore;
  files: Files;
  listing: Listing;
  /** The key of the list of a caller with this name. */
  listOf: (name: string) => string | Promise<string>;
  send: (message: string) => Promise<void>;
  ttlMs: number;
}

/** After so long, requests that are left are no longer passed over. */
const LONGEST_END_MS = 600_000;

export function createEnds({ own, files, listing, listOf, send, ttlMs }: EndsOptions) {
  /** The batch as it is now, whether or not a message has come since its time was over. */
  async function current(key: string): Promise<Batch | undefined> {
    const found = await own.read(key);
    if (!found || found.expiresAt > Date.now()) return found;
    return hasEnded(found) ? undefined : expire(key, found);
  }

  /** Requests that are left are passed over first, so that each has a line that says why it has no answer. */
  async function expire(key: string, batch: Batch): Promise<Batch | undefined> {
    if (!batch.requests || batch.status !== "running") return finish(key, "expired");
    const { ending } = batch.requests;
    return ending ? finishRequests(key, ending.status) : own.change(key, endingAs("expired"));
  }

  /** Ends a batch of requests, with files of what it has. */
  async function finishRequests(key: string, status: BatchStatus): Promise<Batch | undefined> {
    const batch = await own.read(key);
    if (!batch?.requests || hasEnded(batch)) return batch;
    const { requests, caller } = batch;
    const { outputBytes, errorBytes } = await stateOf(key, batch);
    const resultMs = requests.resultMs ?? ttlMs;
    const made = [
      { id: requests.outputFile, size: outputBytes, what: "output" as const },
      { id: requests.errorFile, size: errorBytes, what: "errors" as const },
    ];
    for (const { id, size, what } of made)
      if (size > 0)
        await files.add(caller.name, {
          id,
          filename: `${batch.id}_${what}.jsonl`,
          size,
          expiresAfterMs: resultMs,
          content: { batch: key, what },
        });
    return finish(key, status, {}, resultMs);
  }

  async function stateOf(key: string, batch: Batch): Promise<BatchState> {
    const lanes = batch.cut.chunks > 0 ? await own.lanes(key) : [];
    const sum = (name: keyof Counts) => lanes.reduce((total, lane) => total + lane[name], 0);
    return {
      batch,
      completed: sum("completed"),
      failed: sum("failed"),
      outputBytes: sum("outputBytes"),
      errorBytes: sum("errorBytes"),
    };
  }

  function finish(
    key: string,
    status: BatchStatus,
    change: Partial<Batch> = {},
    keptMs: number = ttlMs,
  ) {
    const expiresAt = Date.now() + keptMs;
    return own.change(key, (one) =>
      hasEnded(one) ? undefined : changed(one, status, { ...change, expiresAt }),
    );
  }

  async function finishIfDone(key: string, { requests, cut: { chunks } }: Batch): Promise<void> {
    const lanes = await own.lanes(key);
    if (lanes.reduce((sum, { done }) => sum + done, 0) < chunks) return;
    if (requests)
      await finishRequests(key, (await own.read(key))?.requests?.ending?.status ?? "succeeded");
    else await send(`${key}.join`);
  }

  async function removeAll(key: string, batch: Batch): Promise<void> {
    const { caller, requests } = batch;
    await listing.remove(await listOf(caller.name), listedAs(batch));
    if (requests) {
      await files.removeOf(caller.name, [requests.outputFile, requests.errorFile]);
    }
    await own.removeAll(key);
  }

  return { current, expire, finish, finishIfDone, removeAll, stateOf };
}

const TIME_DIGITS = 12;

/** The name in its caller's list: the time of its making comes first, so that names are in its order. */
export function listedAs({ id, events: [made] }: Batch): string {
  return `${(made?.at ?? 0).toString(16).padStart(TIME_DIGITS, "0")}.${id}`;
}

export const idOfListed = (name: string) => name.slice(TIME_DIGITS + 1);

/**
 * Ends a batch of requests once those that are left were passed over, so that each has a line that says why it has no
 * answer.
 */
export function endingAs(status: "canceled" | "expired"): (batch: Batch) => Batch | undefined {
  return (batch) => {
    const { requests } = batch;
    if (!requests || requests.ending || hasEnded(batch)) return undefined;
    const at = Date.now();
    const ending = { status, at };
    return { ...batch, requests: { ...requests, ending }, expiresAt: at + LONGEST_END_MS };
  };
}
