import { isBatched, type Manifest } from "../model/manifest.ts";
import type { Run } from "../tasks/define.ts";
import type { Tensors } from "../tensor.ts";

/** The size of a call. */
export interface Size {
  /** The number of inputs, or of rows of tensors. */
  rows: number;
  /** Tokens: of texts with special tokens, of tensors with padding. */
  tokens?: number | undefined;
  /** Pixels of the decoded images. */
  pixels?: number | undefined;
  /** Seconds of the recordings. */
  seconds?: number | undefined;
  /** Bytes of the body after decompression, or of its tensors, whichever are more. */
  bytes?: number | undefined;
}

/** Tokens in one unit. Few models are trained for more in a row. */
const TOKENS_PER_UNIT = 512;
const PIXELS_PER_UNIT = 1_000_000;
/** As many bytes as a unit has, of 16 bits at 16 kHz, last a little less. */
const SECONDS_PER_UNIT = 10;
/** Bytes in one unit: about the size of a JPEG of one megapixel. */
const BYTES_PER_UNIT = 256 * 1024;

/**
 * What a call costs, in the units that rates count: one for each row, each started 512 tokens, each started
 * megapixel, each ten started seconds of sound or each started 256 KiB, whichever are most. At least 1.
 */
export function costOf({ rows, tokens = 0, pixels = 0, seconds = 0, bytes = 0 }: Size): number {
  return Math.max(
    1,
    rows,
    Math.ceil(tokens / TOKENS_PER_UNIT),
    Math.ceil(pixels / PIXELS_PER_UNIT),
    Math.ceil(seconds / SECONDS_PER_UNIT),
    Math.ceil(bytes / BYTES_PER_UNIT),
  );
}

/** The size of a call in words: `1 row, 60000 tokens, 972480 bytes`. */
export function describeSize({ rows, tokens, pixels, seconds, bytes }: Size): string {
  const parts = { rows, tokens, pixels, seconds, bytes };
  return Object.entries(parts)
    .filter(([, count]) => count !== undefined)
    .map(([unit, count]) => `${count} ${count === 1 ? unit.slice(0, -1) : unit}`)
    .join(", ");
}

/**
 * How many rows the runs have. The rows of a run are the largest first dimension of its inputs, where that is the
 * batch.
 */
export function rowsOfRuns(manifest: Manifest, runs: readonly Pick<Run, "feeds">[]): number {
  let rows = 0;
  for (const { feeds } of runs) {
    let largest = 1;
    for (const input of manifest.inputs)
      if (isBatched(manifest, input)) largest = Math.max(largest, feeds[input.name]?.shape[0] ?? 1);
    rows += largest;
  }
  return rows;
}

/** How many bytes the tensors of the runs have. Texts do not count: the body's bytes include them. */
export function bytesOfRuns(runs: readonly Pick<Run, "feeds">[]): number {
  let bytes = 0;
  for (const { feeds } of runs)
    for (const name in feeds) {
      const data = feeds[name]?.data;
      if (ArrayBuffer.isView(data)) bytes += data.byteLength;
    }
  return bytes;
}

/** How many tokens tensors of token ids have, by the largest input of each run. */
export function tokensOfRuns(runs: readonly Pick<Run, "feeds">[]): number {
  return runs.reduce((sum, { feeds }) => sum + mostElements(feeds), 0);
}

function mostElements(feeds: Tensors): number {
  return Object.values(feeds).reduce((most, { data }) => Math.max(most, data.length), 0);
}
