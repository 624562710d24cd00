import type { Platform } from "../../platform/types.ts";
import { keyText } from "../capture/captured.ts";
import type { Note, Notes, Request } from "./notes.ts";

/** A note takes about 200 bytes, and its place in the index 100 more. */
const MOST_NOTES = 50_000;
/** To digest so many keys takes about a millisecond. Then others have their turn. */
const KEYS_OF_TURN = 1000;

/**
 * A place in the ring. A later prediction uses the same object again: fifty thousand notes of several objects each, which
 * outlive the collector's young generation, would take more time than all else that is done for feedback.
 */
interface Kept extends Request {
  model: string;
  version: string;
  /** Of a request with one input, that one prediction. */
  predicted: Note["predicted"] | Note["predicted"][number];
  /** The note once it was looked for. */
  note: Note | undefined;
  /** In milliseconds since 1970. */
  endsAt: number;
}

/**
 * Keeps notes in this process: the last fifty thousand. Each prediction makes one, and few are looked for. So a note only
 * takes the place of the oldest one, and its key is neither digested nor put in order before something is looked for.
 */
export function createMemoryNotes({
  sha256,
  turnEventLoop,
}: Pick<Platform, "sha256" | "turnEventLoop">): Notes {
  /** Each at the place of its number. */
  const ring: (Kept | undefined)[] = [];
  let count = 0;
  /** The numbers of notes by key. Some of them are gone. */
  const index = new Map<string, number>();
  let indexed = 0;

  function indexNew(): void {
    if (index.size >= 2 * MOST_NOTES) {
      index.clear();
      indexed = 0;
    }
    for (indexed = Math.max(indexed, count - MOST_NOTES); indexed < count; indexed++) {
      const kept = ring[placeOf(indexed)];
      if (kept) index.set(keyText(kept.caller, kept.id), indexed);
    }
  }

  function find({ caller, id }: Request): Kept | undefined {
    indexNew();
    const number = index.get(keyText(caller, id));
    if (number === undefined || number < count - MOST_NOTES) return undefined;
    const kept = ring[placeOf(number)];
    return kept && kept.endsAt > Date.now() ? kept : undefined;
  }

  return {
    put({ caller, id, at }, { model, version, predicted: all }, keptSeconds) {
      const predicted = all.length === 1 ? (all[0] ?? null) : all;
      const endsAt = at + keptSeconds * 1000;
      const place = placeOf(count);
      const kept = ring[place];
      if (kept) {
        kept.caller = caller;
        kept.id = id;
        kept.model = model;
        kept.version = version;
        kept.predicted = predicted;
        kept.note = undefined;
        kept.endsAt = endsAt;
      } else ring[place] = { caller, id, model, version, predicted, note: undefined, endsAt };
      count += 1;
    },
    async get(request) {
      const kept = find(request);
      return kept && noteOf(kept);
    },
    async replace(request, note, next, keptSeconds) {
      const kept = find(request);
      if (!kept || noteOf(kept) !== note) return false;
      kept.note = next;
      kept.endsAt = Date.now() + keptSeconds * 1000;
      return true;
    },
    async forget(keys) {
      const wanted = new Set(keys);
      let removed = 0;
      for (const [place, kept] of ring.entries()) {
        if (place % KEYS_OF_TURN === 0) await turnEventLoop?.();
        if (!kept) continue;
        const { caller, id } = kept;
        if (!wanted.has(await sha256(keyText(caller, id)))) continue;
        // Another one may have its place by now.
        if (kept.caller !== caller || kept.id !== id) continue;
        if (find(kept) === kept) removed += 1;
        ring[place] = undefined;
      }
      return removed;
    },
  };
}

/** The same note each time. */
function noteOf(kept: Kept): Note {
  const { model, version, predicted } = kept;
  return (kept.note ??= {
    model,
    version,
    predicted: Array.isArray(predicted) ? predicted : [predicted],
  });
}

function placeOf(number: number): number {
  return number % MOST_NOTES;
}
