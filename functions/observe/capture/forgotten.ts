import type { Store } from "../../model/store.ts";
import type { Platform } from "../../platform/types.ts";
import { capturedPrefix, parseLine, subjectText, type CapturedLine } from "./captured.ts";

/** Whose lines are removed: those of one request, or of one subject. */
export type Wanted = { requestId: string } | { subject: string };

type Sha256 = Platform["sha256"];

/** A mark in the store says what was forgotten, and when. Instances with such lines in memory obey it. */
const MARK = /\/forgotten\/(request|subject)-([0-9a-f]{64})-(\d+)$/;
/** No instance keeps lines in memory for so long. */
const MARKED_MS = 7 * 86_400_000;
const TRIES = 20;

/** The lines that were forgotten. */
export interface Forgotten {
  /** The latest time in milliseconds, by kind and digest. */
  marks: ReadonlyMap<string, number>;
  has: (line: CapturedLine) => Promise<boolean>;
}

/** Says in the store that something is forgotten from now on. */
export async function markForgotten(
  store: Pick<Store, "put">,
  model: string,
  wanted: Wanted,
  sha256: Sha256,
): Promise<void> {
  const id =
    "requestId" in wanted
      ? `request-${await sha256(wanted.requestId)}`
      : `subject-${await sha256(subjectText(model, wanted.subject))}`;
  await store.put(`${capturedPrefix(model)}forgotten/${id}-${Date.now()}`, new Uint8Array());
}

/** Reads what was forgotten of a model in the last days. Removes older marks. */
export async function readForgotten(
  store: Pick<Store, "list" | "delete">,
  model: string,
  sha256: Sha256,
): Promise<Forgotten> {
  const marks = new Map<string, number>();
  for (const key of await store.list(`${capturedPrefix(model)}forgotten/`)) {
    const [, kind, digest, at] = MARK.exec(key) ?? [];
    if (!kind || !digest) continue;
    const time = Number(at);
    if (Date.now() - time > MARKED_MS) await store.delete(key);
    else marks.set(`${kind}-${digest}`, Math.max(time, marks.get(`${kind}-${digest}`) ?? 0));
  }
  return {
    marks,
    async has(line) {
      if (marks.size === 0) return false;
      const subject = "subject" in line ? line.subject : undefined;
      // What someone asks later may be kept again.
      if (Date.parse(line.time) <= (marks.get(`subject-${subject}`) ?? 0)) return true;
      return marks.has(`request-${await sha256(line.request_id)}`);
    },
  };
}

/** The lines of an object, and its ETag. Undefined when it is not there. */
export async function readLines(
  store: Pick<Store, "get">,
  key: string,
): Promise<{ lines: string[]; etag: string } | undefined> {
  const found = await store.get(key);
  if (!found || found === "not-modified") return undefined;
  const lines = new TextDecoder().decode(found.bytes).split("\n");
  return { lines: lines.filter((line) => line !== ""), etag: found.etag };
}

/**
 * Removes lines from an object, and the object when none is left. Gives the removed ones. Of several who remove at the
 * same time, none undoes the work of another. Keeps what is no line. Rejects when the object changes all the time.
 */
export async function removeLines(
  store: Store,
  key: string,
  isWanted: (line: CapturedLine) => boolean | Promise<boolean>,
): Promise<CapturedLine[]> {
  for (let turn = 0; turn < TRIES; turn++) {
    const found = await readLines(store, key);
    if (!found) return [];
    const kept: string[] = [];
    const removed: CapturedLine[] = [];
    for (const text of found.lines) {
      const line = parseLine(text);
      if (line && (await isWanted(line))) removed.push(line);
      else kept.push(`${text}\n`);
    }
    if (removed.length === 0) return [];
    if (kept.length === 0) {
      // Lines are only ever removed from an object, so that nothing new is lost.
      await store.delete(key);
      return removed;
    }
    const bytes = new TextEncoder().encode(kept.join(""));
    if (await store.put(key, bytes, { ifMatch: found.etag })) return removed;
  }
  throw new Error(`${key} changes all the time. Try again.`);
}
