import { NearcastError } from "../errors.ts";
import { readRows } from "../inputs/rows.ts";
import { callerOf } from "../jobs/job.ts";
import { waitForQuiet } from "../jobs/wait-for-quiet.ts";
import type { Turns } from "../load/turns.ts";
import type { Platform } from "../platform/types.ts";
import type { Resolve } from "../record-call.ts";
import { hasEnded, type Batch, type BatchInput } from "./batch.ts";
import type { BatchStore } from "./batch-store.ts";
import { writeChunk } from "./chunk.ts";
import { openInput } from "./stored-source.ts";

/** What cutting needs. */
export interface Cutting {
  platform: Pick<Platform, "store" | "config" | "turnEventLoop">;
  own: BatchStore;
  resolve: Resolve;
  turns: Turns | undefined;
}

const CHUNK_ROWS = 1000;
const CHUNK_BYTES = 256 * 1024;
const MOST_ROWS = 10_000_000;
/**
 * So much of a file is cut in one step, by the time and by chunks: a Worker's clock stands still while it computes, and it may
 * ask its bucket only so often. The next step may be done by another process.
 */
const STEP_MS = 20_000;
const STEP_CHUNKS = 256;
/** After so many chunks the batch remembers how far it is cut. */
const NOTED_CHUNKS = 16;

/**
 * Cuts a part of the batch's file into chunks. Gives whether all of it is cut. A chunk has no more rows than a call of
 * the batch's caller may have. Rejects for a file that cannot be read.
 */
export async function cutFile(
  name: string,
  { model, version, caller, format, header, input, cut }: Batch & { input: BatchInput },
  { platform, own, resolve, turns }: Cutting,
): Promise<boolean> {
  const { config, store } = platform;
  const ends = Date.now() + STEP_MS;
  const who = callerOf(caller);
  const found = await resolve({ model, version, caller: who });
  const rates = [who.rate ?? config.rateLimit, config.modelRateLimit];
  const most = [CHUNK_ROWS, found.limits.batch, ...rates.map((rate) => rate?.limit ?? Infinity)];
  const source = openInput(input, name, { own, store, timeoutMs: config.storeTimeoutMs });
  const pieces = readRows(source, found, {
    format,
    header,
    from: cut.next,
    rows: Math.max(1, Math.min(...most)),
    bytes: Math.min(CHUNK_BYTES, config.limits.bodyBytes),
    lineBytes: config.limits.bodyBytes,
    groupBytes: config.bodyBudgetBytes / 2,
  });
  let { chunks, rows } = cut;
  for await (const piece of pieces) {
    // The store may answer without a turn of the event loop.
    await platform.turnEventLoop?.();
    await waitForQuiet(turns);
    if (piece.rows.length === 0 && piece.share < 1) continue;
    if (piece.rows.length > 0) await own.write(name, `in-${chunks++}`, writeChunk(piece.rows));
    rows += piece.rows.length;
    if (rows > MOST_ROWS)
      throw new NearcastError("invalid_input", `The file has more than ${MOST_ROWS} rows.`);
    const isLast = piece.share >= 1;
    if (chunks % NOTED_CHUNKS > 0 && !isLast) continue;
    const now = await own.change(name, (one) =>
      hasEnded(one)
        ? undefined
        : { ...one, cut: { next: piece.next, chunks, rows, share: piece.share } },
    );
    if (!now || hasEnded(now)) return false;
    const isLong = Date.now() > ends || chunks >= cut.chunks + STEP_CHUNKS;
    if (isLong && !isLast) return false;
  }
  if (rows === 0) throw new NearcastError("malformed_request", "The file has no row.");
  return true;
}
