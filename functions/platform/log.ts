type Entry = Record<string, unknown>;

/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Entry): void {
  process.stderr.write(lineOf({ time: new Date(), ...entry }));
}

const FLUSH_MS = 20;
let entries: Entry[] = [];
let isFlushedAtExit = false;

/**
 * As {@link logLine}, but the lines of some milliseconds are made and written together, after the answers:
 * one by one they would be a tenth of what a prediction costs. Lines that say of trouble are written at
 * once, with those before them.
 */
export function logSoon(entry: Entry): void {
  if (!isFlushedAtExit) process.once("exit", flush);
  isFlushedAtExit = true;
  if (entries.length === 0) setTimeout(flush, FLUSH_MS).unref();
  entries.push({ time: new Date(), ...entry });
  if (entry["level"] !== "info") flush();
}

function flush(): void {
  if (entries.length === 0) return;
  const lines = entries.map(lineOf).join("");
  entries = [];
  process.stderr.write(lines);
}

function lineOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}
