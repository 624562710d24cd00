import type { Files } from "../files/files.ts";
import { nameOf } from "../jobs/job-store.ts";
import type { Listing } from "../jobs/listing.ts";
import type { Platform } from "../platform/types.ts";
import { isPending } from "../webhooks/webhook.ts";
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
  log: Platform["log"];
  ttlMs: number;
}

/** After so long, requests that are left are no longer passed over. */
const LONGEST_END_MS = 600_000;

export function createEnds({ own, files, listing, listOf, send, log, ttlMs }: EndsOptions) {
  /** The batch as it is now, whether or not a message has come since its time was over. */
  async function current(key: string): Promise<Batch | undefined> {
    const found = await own.find(key);
    if (!found || found.expiresAt > Date.now()) return found;
    if (hasEnded(found)) return undefined;
    const name = nameOf(key, found);
    return tellSoon(name, await expire(name, found));
  }

  /** Sends a message for the webhook of a batch that was ended by no message. Gives the batch. */
  async function tellSoon(name: string, batch: Batch | undefined): Promise<Batch | undefined> {
    if (batch && isPending(batch))
      await send(`${name}.tell`).catch((error: unknown) => {
        const message = "jobs: the webhook of a batch that was ended waits for another message";
        log({ level: "warn", message, error: String(error) });
      });
    return batch;
  }

  /** Requests that are left are passed over first, so that each has a line that says why it has no answer. */
  async function expire(name: string, batch: Batch): Promise<Batch | undefined> {
    if (!batch.requests || batch.status !== "running") return finish(name, "expired");
    const { ending } = batch.requests;
    return ending ? finishRequests(name, ending.status) : own.change(name, endingAs("expired"));
  }

  /** Ends a batch of requests, with files of what it has. */
  async function finishRequests(name: string, status: BatchStatus): Promise<Batch | undefined> {
    const batch = await own.read(name);
    if (!batch?.requests || hasEnded(batch)) return batch;
    const { requests, caller } = batch;
    const { outputBytes, errorBytes } = await stateOf(name, batch);
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
          content: { batch: name, what },
        });
    const ended = await finish(name, status, {}, resultMs);
    // It was removed meanwhile.
    if (!ended) await files.removeOf(caller.name, [requests.outputFile, requests.errorFile]);
    return ended;
  }

  async function stateOf(name: string, batch: Batch): Promise<BatchState> {
    const lanes = batch.cut.chunks > 0 ? await own.lanes(name) : [];
    const sum = (what: keyof Counts) => lanes.reduce((total, lane) => total + lane[what], 0);
    return {
      batch,
      completed: sum("completed"),
      failed: sum("failed"),
      outputBytes: sum("outputBytes"),
      errorBytes: sum("errorBytes"),
    };
  }

  function finish(
    name: string,
    status: BatchStatus,
    change: Partial<Batch> = {},
    keptMs: number = ttlMs,
  ) {
    const expiresAt = Date.now() + keptMs;
    return own.change(name, (one) =>
      hasEnded(one) ? undefined : changed(one, status, { ...change, expiresAt }),
    );
  }

  async function finishIfDone(name: string, { requests, cut: { chunks } }: Batch): Promise<void> {
    const lanes = await own.lanes(name);
    if (lanes.reduce((sum, { done }) => sum + done, 0) < chunks) return;
    if (requests)
      await finishRequests(name, (await own.read(name))?.requests?.ending?.status ?? "succeeded");
    else await send(`${name}.join`);
  }

  async function removeAll(name: string, batch: Batch): Promise<void> {
    const { caller, requests } = batch;
    await listing.remove(await listOf(caller.name), listedAs(batch));
    await own.removeAll(name);
    if (requests) await files.removeOf(caller.name, [requests.outputFile, requests.errorFile]);
  }

  return { current, expire, finish, finishIfDone, removeAll, stateOf, tellSoon };
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
