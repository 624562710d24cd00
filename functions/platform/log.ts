type Entry = Record<string, unknown>;

/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Entry): void {
  process.stderr.write(lineOf(entry));
}

const FLUSH_MS = 20;
const SIZE = 65_536;
/** Most bytes that UTF-8 takes for a code unit of UTF-16. */
const WIDEST = 3;
const NO_LINES = Buffer.alloc(0);

let lines = NO_LINES;
let used = 0;
let isFlushedAtExit = false;

/**
 * As {@link logLine}, but the lines of some milliseconds are written together: one by one, whoever reads them would
 * be woken for each, for a fifth of what a prediction costs. They wait as bytes outside the heap: entries or strings
 * would outlive the young generation, for as much. Lines that say of trouble are written at once, with those before.
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

/** What is being written belongs to the stream. */
function flush(): void {
  if (used > 0) process.stderr.write(lines.subarray(0, used));
  lines = NO_LINES;
  used = 0;
}

/** Every entry says at least its level. */
function lineOf(entry: Entry): string {
  return `{"time":"${new Date().toISOString()}",${JSON.stringify(entry).slice(1)}\n`;
}
