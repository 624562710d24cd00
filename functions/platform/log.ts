/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Record<string, unknown>): void {
  process.stderr.write(lineOf(entry));
}

const FLUSH_MS = 20;
let lines = "";
let isFlushedAtExit = false;

/**
 * As {@link logLine}, the lines of some milliseconds in one write: a write a line would be a tenth of what a
 * prediction costs. Lines that say of trouble are written at once, with those before them.
 */
export function logSoon(entry: Record<string, unknown>): void {
  if (!isFlushedAtExit) process.once("exit", flush);
  isFlushedAtExit = true;
  if (lines === "") setTimeout(flush, FLUSH_MS).unref();
  lines += lineOf(entry);
  if (entry["level"] !== "info") flush();
}

function flush(): void {
  if (lines === "") return;
  process.stderr.write(lines);
  lines = "";
}

function lineOf(entry: Record<string, unknown>): string {
  return `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`;
}
