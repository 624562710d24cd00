type Entry = Record<string, unknown>;

/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Entry): void {
  process.stderr.write(lineOf(entry));
}

const FLUSH_MS = 20;
const SIZE = 65_536;
/** UTF-8 takes at most this many bytes for a UTF-16 code unit. */
const WIDEST = 3;
const NO_LINES = Buffer.alloc(0);

let lines = NO_LINES;
let used = 0;
let isFlushedAtExit = false;

/**
 * Like {@link logLine}, but writes the lines of some milliseconds together. One by one, each would wake its
 * reader, which is a fifth of what a prediction costs. Lines wait as bytes outside the heap: as objects or
 * strings they would outlive the young generation, which costs as much. Errors and warnings are written at
 * once, with the lines before them.
 */
export function logSoon(entry: Entry): void {
  if (!isFlushedAtExit) process.once("exit", flush);
  isFlushedAtExit = true;
  const line = lineOf(entry);
  const most = line.length * WIDEST;
  if (used + most > lines.length) {
    flush();
    lines = Buffer.allocUnsafe(Math.max(SIZE, most));
  }
  if (used === 0) setTimeout(flush, FLUSH_MS).unref();
  used += lines.write(line, used);
  if (entry["level"] !== "info") flush();
}

/** The stream owns the bytes that are being written. */
function flush(): void {
  if (used > 0) process.stderr.write(lines.subarray(0, used));
  lines = NO_LINES;
  used = 0;
}

/** Every entry says at least its level. */
function lineOf(entry: Entry): string {
  return `{"time":"${new Date().toISOString()}",${JSON.stringify(entry).slice(1)}\n`;
}
