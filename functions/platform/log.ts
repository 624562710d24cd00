type Entry = Record<string, unknown>;

/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Entry): void {
  process.stderr.write(lineOf(new Date(), entry));
}

let entries: [time: Date, entry: Entry][] = [];
let isFlushedAtExit = false;

/**
 * As {@link logLine}, but the lines of one turn of the event loop are made and written together, after the
 * answers: one by one they would be a tenth of what a prediction costs. Kept for longer they would outlive the young
 * generation, which costs more than it saves. Lines that say of trouble are written at once, with those before them.
 */
export function logSoon(entry: Entry): void {
  if (!isFlushedAtExit) process.once("exit", flush);
  isFlushedAtExit = true;
  if (entries.length === 0) setImmediate(flush);
  entries.push([new Date(), entry]);
  if (entry["level"] !== "info") flush();
}

function flush(): void {
  if (entries.length === 0) return;
  let lines = "";
  for (const [time, entry] of entries) lines += lineOf(time, entry);
  entries = [];
  process.stderr.write(lines);
}

/** Every entry says at least its level. */
function lineOf(time: Date, entry: Entry): string {
  return `{"time":"${time.toISOString()}",${JSON.stringify(entry).slice(1)}\n`;
}
