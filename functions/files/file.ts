import type { BatchInput } from "../batches/batch.ts";

/** Bytes in parts, as an upload is stored. */
export type Parts = Extract<BatchInput, { parts: string }>;

/** Answers or errors of the batch with this name. */
export interface LinesOfBatch {
  batch: string;
  what: "output" | "errors";
}

/** A file of a caller's, as it lies in the store. Times are milliseconds since 1970. */
export interface StoredFile {
  id: string;
  /** As its caller named it. */
  filename: string;
  /** In bytes. */
  size: number;
  createdAt: number;
  expiresAt: number;
  /** Where its bytes are. Absent until the upload is whole. */
  content?: Parts | LinesOfBatch;
}
