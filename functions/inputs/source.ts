import type { DecimalMark } from "../wire/csv-cell.ts";

/** A file's bytes, which can be read in parts. */
export interface Source {
  size: number;
  /** The bytes from `start` up to `end`, without that one. Rejects where there are fewer. */
  slice(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Where to go on reading a file. */
export interface Position {
  /** A byte, or a row of Parquet. From 0. */
  offset: number;
  /** A line, or a row of Parquet. From 1. */
  line: number;
  /** The decimal mark of the numbers before. */
  mark?: DecimalMark | undefined;
}

/** How much is read at once, and how much a single line may have. */
export interface PieceLimits {
  rows: number;
  /** Bytes of the file. A single line may have more. */
  bytes: number;
  lineBytes: number;
}
