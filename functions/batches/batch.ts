import type { Format, RowError } from "../inputs/row.ts";
import type { Position } from "../inputs/source.ts";
import type { Job } from "../jobs/job.ts";

export type BatchStatus =
  | "queued"
  | "validating"
  | "running"
  | "succeeded"
  | "failed"
  | "canceled"
  | "expired";

/** Where the rows are: an object of the store, or an upload in parts. */
export type BatchInput =
  | { object: string; size: number }
  | { parts: string; size: number; partBytes: number };

/** How far the file is cut into chunks. */
export interface Cut {
  next?: Position | undefined;
  chunks: number;
  rows: number;
}

/** A file whose rows are answered, as it lies in the store. Times are milliseconds since 1970. */
export interface Batch extends Pick<
  Job,
  "id" | "caller" | "model" | "version" | "digest" | "assignment" | "fingerprint" | "expiresAt"
> {
  requestId: string;
  /** The key of the rate that the calls are taken from. Absent where no rate holds. */
  rateKey?: string;
  format: Format;
  header?: "present" | "absent" | undefined;
  parameters?: unknown;
  /** Absent until the upload is whole. */
  input?: BatchInput;
  status: BatchStatus;
  events: { status: BatchStatus; at: number }[];
  cut: Cut;
  /** Why the file cannot be read. */
  error?: RowError;
}

/** A share of a batch's chunks: every so many one, one after the other. */
export interface Lane {
  /** How many of its chunks are done. */
  done: number;
  completed: number;
  failed: number;
}

/** The rows of a chunk that were answered, and that were not. */
export type Counts = Pick<Lane, "completed" | "failed">;

const FINAL: ReadonlySet<BatchStatus> = new Set(["succeeded", "failed", "canceled", "expired"]);

export function hasEnded({ status }: Pick<Batch, "status">): boolean {
  return FINAL.has(status);
}

/** The batch in another status. */
export function changed(batch: Batch, status: BatchStatus, change: Partial<Batch> = {}): Batch {
  return { ...batch, ...change, status, events: [...batch.events, { status, at: Date.now() }] };
}
