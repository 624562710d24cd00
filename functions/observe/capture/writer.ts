import type { Platform } from "../../platform/types.ts";
import type { CaptureRecord } from "../observer.ts";
import { within } from "../../within.ts";
import {
  capturedKey,
  dayOf,
  dueKey,
  keyText,
  parseLine,
  subjectText,
  type CapturedInput,
  type CapturedLine,
} from "./captured.ts";
import { removeLately } from "./expire.ts";
import { readForgotten, removeLines } from "./forgotten.ts";

/** Lines are written together, after this time. */
const EVERY_MS = 60_000;
/** A schedule that is this late was lost: its request was ended early. */
const LOST_MS = 90_000;
/** So many characters are written at once. */
const FULL = 512 * 1024;
/** With so many characters waiting, further lines are dropped. */
const MOST = 2 * 1024 * 1024;
/** So many notes of what expires are known to be in the store. */
const MOST_NOTED = 1000;
/** The longest wait for the store. */
const PATIENCE_MS = 5000;
const HOUR_MS = 3_600_000;

/** What is kept, before the digests in it are made. */
export interface Line {
  retentionDays: number;
  caller: string;
  subject: string | undefined;
  fields: Pick<CapturedInput, "request_id" | "time" | "model" | "version"> & Partial<CapturedInput>;
  /** The other members, as JSON without braces. */
  json: string;
}

interface Batch {
  model: string;
  until: string;
  day: string;
  lines: Line[];
  size: number;
  /** Known since it was first written. */
  key?: string;
  sendingSince?: number | undefined;
}

export type WriterPlatform = Pick<
  Platform,
  "store" | "waitUntil" | "createSchedule" | "sha256" | "log" | "isolatesRequests"
>;

/**
 * Writes lines in batches to the store, each an object of its own. Uses a bounded memory: while the store is slow or out
 * of reach, it drops further lines, and the log says how many. A batch that may have been written is written again under
 * the same key. Leaves out what was forgotten in the meantime, and removes what expired. `tell` gets what became of the
 * lines.
 */
export function createWriter(platform: WriterPlatform, tell: (record: CaptureRecord) => void) {
  const { store, waitUntil, createSchedule, sha256, log, isolatesRequests = false } = platform;
  const schedule = createSchedule(EVERY_MS);
  /** Made with the first batch: workerd gives no random values while it starts a Worker. */
  let instance: string | undefined;
  let turn = 0;
  const gathered = new Map<string, Batch>();
  const unwritten = new Set<Batch>();
  /** The characters of the gathered ones, and of all. */
  let gatheredSize = 0;
  let held = 0;
  let dropped = 0;
  let isFailing = false;
  let scheduledAt: number | undefined;
  let flight: Promise<void> | undefined;
  const cleanedAt = new Map<string, number>();
  const noted = new Set<string>();

  function add(line: Line): void {
    const { fields, retentionDays, json } = line;
    const size = json.length + JSON.stringify(fields).length;
    if (held + size > MOST) drop(fields);
    else {
      const time = Date.parse(fields.time);
      const until = dayOf(time, retentionDays + 1);
      const batch = batchOf(fields.model, until, dayOf(time));
      batch.lines.push(line);
      batch.size += size;
      gatheredSize += size;
      held += size;
    }
    if (gatheredSize >= FULL && unwritten.size === 0) waitUntil(flush());
    else writeSoon();
  }

  function batchOf(model: string, until: string, day: string): Batch {
    const place = `${model} ${until} ${day}`;
    const found = gathered.get(place);
    if (found) return found;
    const begun = { model, until, day, lines: [], size: 0 };
    gathered.set(place, begun);
    return begun;
  }

  function drop({ model, version }: Line["fields"]): void {
    dropped += 1;
    tell({ model, version, lines: 1, outcome: "dropped" });
    if (dropped > 1) return;
    const message = "capture: inputs are dropped, since the store does not take them in time";
    log({ level: "warn", message });
  }

  function writeSoon(): void {
    if (held === 0) return;
    const now = Date.now();
    if (scheduledAt !== undefined && Math.abs(now - scheduledAt) < LOST_MS) return;
    const isScheduled = schedule(async () => {
      scheduledAt = undefined;
      await flush();
      // What could not be written is tried again. On Workers this request has no time left for that.
      if (!isolatesRequests) writeSoon();
    });
    scheduledAt = isScheduled ? now : undefined;
  }

  async function write(batch: Batch): Promise<void> {
    const { sendingSince, model } = batch;
    // The request that began to write it may have been ended.
    if (sendingSince !== undefined && Date.now() - sendingSince < LOST_MS) return;
    batch.sendingSince = Date.now();
    try {
      const written = await within(put(batch), PATIENCE_MS, tooLate);
      if (unwritten.delete(batch)) {
        held -= batch.size;
        for (const [version, lines] of written) tell({ model, version, lines, outcome: "written" });
      }
      noteSuccess();
    } catch (error) {
      noteFailure(error);
    }
    batch.sendingSince = undefined;
    await clean(model);
  }

  /**
   * Gives how many lines of which version were written. What is forgotten before it is written is left out, and what is
   * forgotten meanwhile is removed.
   */
  async function put(batch: Batch): Promise<Map<string, number>> {
    const { model, until } = batch;
    const written = new Map<string, number>();
    instance ??= crypto.randomUUID().slice(24);
    const key = (batch.key ??= capturedKey({ ...batch, instance, turn: (turn += 1) }));
    const before = await readForgotten(store, model, sha256);
    const texts: string[] = [];
    for (const [index, text] of (await Promise.all(batch.lines.map(textOf))).entries()) {
      if (before.marks.size > 0 && (await before.has(parseLine(text) as CapturedLine))) continue;
      texts.push(`${text}\n`);
      const { version } = (batch.lines[index] as Line).fields;
      written.set(version, (written.get(version) ?? 0) + 1);
    }
    if (texts.length === 0) return written;
    await noteDue(model, until);
    await store.put(key, new TextEncoder().encode(texts.join("")));
    const after = await readForgotten(store, model, sha256);
    if (after.marks.size > 0) await removeLines(store, key, after.has);
    return written;
  }

  /** Once for each day of each model. */
  async function noteDue(model: string, until: string): Promise<void> {
    const key = dueKey(model, until);
    if (noted.has(key)) return;
    await store.put(key, new Uint8Array());
    if (noted.size >= MOST_NOTED) noted.clear();
    noted.add(key);
  }

  async function textOf({ fields, caller, subject, json }: Line): Promise<string> {
    const key = await sha256(keyText(caller, fields.request_id));
    const members = {
      ...fields,
      key,
      ...(subject !== undefined && { subject: await sha256(subjectText(fields.model, subject)) }),
    };
    return `${JSON.stringify(members).slice(0, -1)},${json}}`;
  }

  /** Once an hour. */
  async function clean(model: string): Promise<void> {
    const now = Date.now();
    if (now - (cleanedAt.get(model) ?? 0) < HOUR_MS) return;
    cleanedAt.set(model, now);
    await removeLately(store, model, now).catch((error: unknown) =>
      log({ level: "error", message: "capture: expired inputs remain", error: String(error) }),
    );
  }

  function noteSuccess(): void {
    if (dropped > 0)
      log({ level: "warn", message: "capture: inputs were dropped", inputs: dropped });
    dropped = 0;
    isFailing = false;
  }

  /** Says it once, until a write succeeds. */
  function noteFailure(error: unknown): void {
    if (!isFailing)
      log({ level: "error", message: "capture: inputs cannot be written", error: String(error) });
    isFailing = true;
  }

  async function writeAll(): Promise<void> {
    await Promise.all([...unwritten].map(write));
  }

  /** What waits behind a batch that cannot be written goes together later. */
  async function send(): Promise<void> {
    if (unwritten.size > 0) await writeAll();
    if (unwritten.size > 0 || gathered.size === 0) return;
    for (const batch of gathered.values()) unwritten.add(batch);
    gathered.clear();
    gatheredSize = 0;
    await writeAll();
  }

  async function flush(): Promise<void> {
    if (isolatesRequests) return send();
    // What was added since the last flush began goes with the next.
    await flight;
    flight ??= send().finally(() => (flight = undefined));
    await flight;
  }

  return { add, writeSoon, flush };
}

function tooLate(): never {
  throw new Error(`no answer within ${PATIENCE_MS} ms`);
}
