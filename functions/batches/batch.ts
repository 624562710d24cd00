import type { Format, RowError } from "../inputs/row.ts";
import type { Position } from "../inputs/source.ts";
import type { Job } from "../jobs/job.ts";
import { ENDS, type End } from "../webhooks/webhook.ts";

export type BatchStatus = "queued" | "validating" | "running" | End;

/** Where the rows are: an object of the store, or an upload in parts. */
export type BatchInput =
  | { object: string; size: number }
  | {
      parts: string;
      size: number;
      partBytes: number;
      /** The key of the file that they belong to. The batch's own when absent. */
      of?: string;
    };

/** How far the file is cut into chunks. */
export interface Cut {
  next?: Position | undefined;
  chunks: number;
  rows: number;
  /** The share of the file that was read, from 0 to 1. */
  share?: number;
}

/** Lines that are joined so far: those in parts, without what does not fill a part yet. */
export interface Joined {
  /** A tag for each part. */
  tags: string[];
  /** The store's id of the writing. Absent where no part of an object is written. */
  id?: string;
}

/** How far the lines of chunks are joined. */
export interface Joining {
  /** Chunks whose lines are joined. */
  chunks: number;
  output: Joined;
  errors: Joined;
  /** Until then one process joins, and no other. */
  until: number;
  /** How often it was begun anew. */
  restarts: number;
  /** An object may be there that this batch has made. */
  isMaking?: true;
}

/** Why a batch of requests fails before any of them is answered. */
export interface RequestIssue {
  code: string;
  message: string;
  line?: number;
  /** The member that is wrong. */
  param?: string;
}

/** What a batch has besides when each line of its file is a whole request, as OpenAI's have it. */
export interface Requests {
  /** The path that every line names. */
  endpoint: string;
  /** The task that a model behind it has. */
  task: string;
  inputFile: string;
  /** The ids that the files of answers and of errors get when it ends. */
  outputFile: string;
  errorFile: string;
  metadata?: Record<string, string> | null | undefined;
  /** By what all requests get their version. */
  key?: string | undefined;
  override?: string | undefined;
  /** For how long the answers are kept. As long as those of jobs when absent. */
  resultMs?: number | undefined;
  issues?: RequestIssue[];
  /** What it will have ended as when the chunks that are left were passed over. */
  ending?: { status: "canceled" | "expired"; at: number };
}

/** A file whose rows are answered, as it lies in the store. Times are milliseconds since 1970. */
export interface Batch extends Pick<
  Job,
  | "id"
  | "generation"
  | "caller"
  | "model"
  | "version"
  | "digest"
  | "assignment"
  | "fingerprint"
  | "isLeaving"
  | "expiresAt"
  | "webhook"
> {
  requestId: string;
  /** The key of the rate that the calls are taken from. Absent where no rate holds. */
  rateKey?: string;
  format: Format;
  header?: "present" | "absent" | undefined;
  parameters?: unknown;
  /** The features that the version looks up. With it, lines tell where each is from. */
  lookedUp?: readonly string[] | undefined;
  /** Absent until the upload is whole. */
  input?: BatchInput;
  status: BatchStatus;
  events: { status: BatchStatus; at: number }[];
  cut: Cut;
  joining?: Joining;
  /** Where the lines are once the batch has succeeded. Absent where there are none, and for requests. */
  output?: BatchInput;
  errors?: BatchInput;
  /** Why the file cannot be read, or its outputs cannot be written. */
  error?: RowError;
  /** Absent where the rows are inputs. With it, model and version are empty until the file was read. */
  requests?: Requests;
}

/** A share of a batch's chunks: every so many one, one after the other. */
export interface Lane {
  /** How many of its chunks are done. */
  done: number;
  completed: number;
  failed: number;
  /** What the lines of outputs, and those of errors, have together. */
  outputBytes: number;
  errorBytes: number;
}

/** The rows of a chunk that were answered, and that were not, and the bytes of their lines. */
export type Counts = Omit<Lane, "done">;

const FINAL: ReadonlySet<BatchStatus> = new Set(ENDS);

export function hasEnded({ status }: Pick<Batch, "status">): boolean {
  return FINAL.has(status);
}

/** The batch in another status. */
export function changed(batch: Batch, status: BatchStatus, change: Partial<Batch> = {}): Batch {
  return { ...batch, ...change, status, events: [...batch.events, { status, at: Date.now() }] };
}
