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
/** The most bytes that wait for a slow reader of the log. Further lines are lost. */
const MOST_WAITING = 4 * 1024 * 1024;

let lines = NO_LINES;
let used = 0;
let count = 0;
let isFlushedAtExit = false;
let lost = 0;
/** How many of the lost lines the log has reported. */
let reported = 0;
let isWatched = false;

/**
 * Like {@link logLine}, but writes the lines of some milliseconds together. Each write wakes the reader of the log,
 * which takes a fifth of a prediction's time. Lines wait as bytes outside the heap: objects or strings would outlive
 * the young generation, which costs as much. Errors and warnings are written at once, with the lines before them.
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

/** Later lines need a new buffer: the stream still reads this one. */
function flush(): void {
  if (used > 0) write(lines.subarray(0, used), count);
  lines = NO_LINES;
  used = 0;
  count = 0;
}

/**
 * Writes this many lines, or counts them as lost when the disk is full or the reader is slow or gone. The service goes
 * on without its log.
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
  if (lost === reported) return;
  const since = lost - reported;
  reported = lost;
  const message = `The log could not be written: ${since} lines before this one are lost.`;
  process.stderr.write(lineOf({ level: "error", message, lostLines: since }), (error) => {
    // The next report counts these lines again.
    if (error) reported -= since;
  });
}

/** An entry has at least a level, so that its JSON has a member after the time. */
function lineOf(entry: Entry): string {
  return `{"time":"${new Date().toISOString()}",${JSON.stringify(entry).slice(1)}\n`;
}
