import type { Platform } from "../../platform/types.ts";
import { keyText } from "../capture/captured.ts";
import type { Note, Notes, Request } from "./notes.ts";

/** A note takes about 200 bytes, and its place in the index 100 more. */
const MOST_NOTES = 50_000;
/** To digest so many keys takes about a millisecond. Then others have their turn. */
const KEYS_OF_TURN = 1000;

interface Kept extends Request {
  note: Note;
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
    put({ caller, id, at }, note, keptSeconds) {
      ring[placeOf(count)] = { caller, id, note, endsAt: at + keptSeconds * 1000 };
      count += 1;
    },
    get: async (request) => find(request)?.note,
    async replace(request, note, next, keptSeconds) {
      const kept = find(request);
      if (!kept || kept.note !== note) return false;
      kept.note = next;
      kept.endsAt = Date.now() + keptSeconds * 1000;
      return true;
    },
    async forget(keys) {
      const wanted = new Set(keys);
      let removed = 0;
      for (const [place, kept] of ring.entries()) {
        if (place % KEYS_OF_TURN === 0) await turnEventLoop?.();
        if (!kept || !wanted.has(await sha256(keyText(kept.caller, kept.id)))) continue;
        if (find(kept) === kept) removed += 1;
        // Unless another one has its place by now.
        if (ring[place] === kept) ring[place] = undefined;
      }
      return removed;
    },
  };
}

function placeOf(number: number): number {
  return number % MOST_NOTES;
}
