type Entry = Record<string, unknown>;

/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Entry): void {
  write(Buffer.from(lineOf(entry)), 1);
}

/** How many lines could not be written, since the start. */
export function lostLogLines(): number {
  return lost;
}

const FLUSH_MS = 20;
const SIZE = 65_536;
/** UTF-8 takes at most this many bytes for a UTF-16 code unit. */
const WIDEST = 3;
const NO_LINES = Buffer.alloc(0);
/** More bytes than this do not wait for a reader of the log that is slow. */
const MOST_WAITING = 4 * 1024 * 1024;

let lines = NO_LINES;
let used = 0;
let count = 0;
let isFlushedAtExit = false;
let lost = 0;
/** What the log was told of them. */
let told = 0;
let isWatched = false;

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
  count += 1;
  if (entry["level"] !== "info") flush();
}

/** The stream owns the bytes that are being written. */
function flush(): void {
  if (used > 0) write(lines.subarray(0, used), count);
  lines = NO_LINES;
  used = 0;
  count = 0;
}

/**
 * Writes so many lines, or counts them as lost: the disk is full, or the reader went away or is slow. The service
 * goes on without its log.
 */
function write(bytes: Buffer, lineCount: number): void {
  if (!isWatched) {
    isWatched = true;
    // Without a listener the error would end the process.
    process.stderr.on("error", () => undefined);
  }
  if (process.stderr.writableLength > MOST_WAITING) {
    lost += lineCount;
    return;
  }
  process.stderr.write(bytes, (error) => {
    if (error) lost += lineCount;
    else tellOfLost();
  });
}

function tellOfLost(): void {
  if (lost === told) return;
  const since = lost - told;
  told = lost;
  const message = `The log could not be written: ${since} lines before this one are lost.`;
  process.stderr.write(lineOf({ level: "error", message, lostLines: since }), (error) => {
    // They are told of later.
    if (error) told -= since;
  });
}

/** Every entry says at least its level. */
function lineOf(entry: Entry): string {
  return `{"time":"${new Date().toISOString()}",${JSON.stringify(entry).slice(1)}\n`;
}
