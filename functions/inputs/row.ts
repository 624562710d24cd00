import { NearcastError, type InputIssue } from "../errors.ts";
import type { PieceLimits, Position } from "./source.ts";

/** The most bytes of a row group of Parquet. */
export const MOST_GROUP_BYTES = 256 * 1024 * 1024;

/** Kinds of files that have an input in each row. */
export const FORMATS = ["jsonl", "csv", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

/** Why a row has no answer. */
export interface RowError {
  code: string;
  detail: string;
  errors?: InputIssue[];
}

/** A row of a file: an input, or why it is none. */
export interface Row {
  /** From 1. For Parquet, which has no lines, the row. */
  line: number;
  input?: unknown;
  error?: RowError;
}

export interface Rows {
  rows: Row[];
  /** Where to go on. */
  next: Position;
  /** The share of the file that was read, from 0 to 1. */
  share: number;
}

export interface RowsOptions extends PieceLimits {
  format: Format;
  /** Whether the first line of CSV is a header. Detected if absent. */
  header?: "present" | "absent" | undefined;
  /** Bytes of one row group of Parquet, which is decoded at once. {@link MOST_GROUP_BYTES} when absent. */
  groupBytes?: number | undefined;
  /** From the beginning when absent. */
  from?: Position | undefined;
}

/** Too long an answer, or not enough memory for it. Fewer rows at once may help. */
const TOO_MUCH = 507;

/** The error of a row from what was thrown. Throws on what is not about the row. */
export function rowError(error: unknown): RowError {
  if (!(error instanceof NearcastError) || (error.status >= 500 && error.status !== TOO_MUCH))
    throw error;
  const { code, message, issues } = error;
  return { code, detail: message, ...(issues && { errors: issues }) };
}
