import { NearcastError } from "../errors.ts";
import type { PieceLimits, Position, Source } from "./source.ts";

/** Some records of a text file. */
export interface Cut {
  /** The line on which the first record begins, from 1. */
  line: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** Where each record ends in `bytes`, behind its line end. */
  ends: number[];
  next: Position;
}

/** How much of the file is read at once. */
const WINDOW_BYTES = 1024 * 1024;
const [LINE_FEED, CARRIAGE_RETURN, QUOTE] = [0x0a, 0x0d, 0x22];

/**
 * Cuts a file into pieces of whole records: lines, or with `quoted` lines whose quoted cells may have line ends in
 * them. Rejects with `malformed_request` for a record over the limit.
 */
export async function* cutRecords(
  source: Source,
  from: Position,
  { rows, bytes, lineBytes, quoted }: PieceLimits & { quoted: boolean },
): AsyncGenerator<Cut> {
  const mark = await lineMark(source);
  let { offset, line } = from;
  let held = new Uint8Array(0);
  let readTo = offset;
  while (offset < source.size) {
    const ends: number[] = [];
    const first = line;
    let [at, start, inQuotes] = [0, 0, false];
    const lineAt = (place: number) =>
      held.subarray(0, place).reduce((sum, byte) => sum + (byte === mark ? 1 : 0), first);
    while (ends.length < rows && start < bytes) {
      if (at === held.length) {
        if (at - start > lineBytes) throw tooLong(lineAt(start), lineBytes, inQuotes);
        if (readTo === source.size) break;
        const end = Math.min(readTo + WINDOW_BYTES, source.size);
        held = joined(held, await source.slice(readTo, end));
        readTo = end;
      }
      for (; at < held.length; at++) {
        const byte = held[at];
        if (byte === QUOTE) inQuotes = quoted && !inQuotes;
        else if (byte === mark && !inQuotes) {
          if (at - start > lineBytes) throw tooLong(lineAt(start), lineBytes, false);
          start = ++at;
          ends.push(start);
          break;
        }
      }
      if (at === held.length && readTo === source.size && start < at) {
        if (at - start > lineBytes) throw tooLong(lineAt(start), lineBytes, inQuotes);
        // The last line needs no end.
        start = at;
        ends.push(at);
      }
    }
    const piece = held.subarray(0, start);
    line = lineAt(start);
    offset += start;
    held = held.subarray(start);
    yield { line: first, bytes: piece, ends, next: { offset, line } };
  }
}

/** The byte that ends lines: CR only where the beginning of the file has no LF. */
async function lineMark(source: Source): Promise<number> {
  const beginning = await source.slice(0, Math.min(source.size, WINDOW_BYTES));
  const hasLines = beginning.includes(LINE_FEED) || !beginning.includes(CARRIAGE_RETURN);
  return hasLines ? LINE_FEED : CARRIAGE_RETURN;
}

function joined(first: Uint8Array<ArrayBuffer>, second: Uint8Array<ArrayBuffer>) {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function tooLong(line: number, most: number, isQuoted: boolean): NearcastError {
  return new NearcastError(
    "malformed_request",
    `Line ${line} has more than ${most} bytes.${isQuoted ? " Is a quote never closed?" : ""}`,
  );
}
