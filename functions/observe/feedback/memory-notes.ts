import type { Platform } from "../../platform/types.ts";
import { keyText } from "../capture/captured.ts";
import { createRecent } from "../recent.ts";
import { createIdRing } from "./id-ring.ts";
import type { Note, Notes, Request } from "./notes.ts";

/** A note takes about 70 bytes, and its place in the index 100 more. */
const MOST_NOTES = 50_000;
/** To digest so many keys takes about a millisecond. Then others have their turn. */
const KEYS_OF_TURN = 1000;

/** So many that had notes lately are known. */
const RECENT_ORIGINS = 16;

/** Who asked which version. Notes share one: each of its own would grow old, and cost more than all else of its note. */
interface Origin {
  caller: string;
  model: string;
  version: string;
}

/**
 * Keeps notes in this process: the last fifty thousand. Each prediction makes one, and few are looked for. So a note only
 * takes the place of the oldest one, and its key is neither digested nor put in order before something is looked for.
 * What a note has is in columns, at the place of its number: objects that outlive the collector's young
 * generation would take more time than all else that is done for feedback.
 */
export function createMemoryNotes({
  sha256,
  turnEventLoop,
}: Pick<Platform, "sha256" | "turnEventLoop">): Notes {
  const ids = createIdRing(MOST_NOTES);
  /** Undefined where a note was removed. */
  const origins: (Origin | undefined)[] = [];
  /** Of a request with one input, that one prediction. */
  const predictions: (Note["predicted"] | Note["predicted"][number])[] = [];
  /** In milliseconds since 1970. */
  const ends: number[] = [];
  /** Notes that were looked for, by place. */
  const found = new Map<number, Note>();
  let count = 0;
  const recent = createRecent<Origin>(RECENT_ORIGINS);
  /** The numbers of notes by key. Some of them are gone. */
  const index = new Map<string, number>();
  let indexed = 0;

  function originOf(caller: string, model: string, version: string): Origin {
    const key = [caller, model, version];
    let origin = recent.get(key);
    if (!origin) recent.set(key, (origin = { caller, model, version }));
    return origin;
  }

  function indexNew(): void {
    if (index.size >= 2 * MOST_NOTES) {
      index.clear();
      indexed = 0;
    }
    for (indexed = Math.max(indexed, count - MOST_NOTES); indexed < count; indexed++) {
      const place = placeOf(indexed);
      const origin = origins[place];
      if (origin) index.set(keyText(origin.caller, ids.at(place)), indexed);
    }
  }

  /** The place of the request's note. Undefined where there is none, or its time is over. */
  function find({ caller, id }: Request): number | undefined {
    indexNew();
    const number = index.get(keyText(caller, id));
    if (number === undefined || number < count - MOST_NOTES) return undefined;
    const place = placeOf(number);
    return origins[place] && (ends[place] ?? 0) > Date.now() ? place : undefined;
  }

  /** The same note each time. */
  function noteAt(place: number): Note | undefined {
    const known = found.get(place);
    const origin = origins[place];
    if (known || !origin) return known;
    const predicted = predictions[place] ?? null;
    const note = {
      model: origin.model,
      version: origin.version,
      predicted: Array.isArray(predicted) ? predicted : [predicted],
    };
    found.set(place, note);
    return note;
  }

  return {
    put({ caller, id, at }, { model, version, predicted }, keptSeconds) {
      const place = placeOf(count);
      ids.set(place, id);
      origins[place] = originOf(caller, model, version);
      predictions[place] = predicted.length === 1 ? (predicted[0] ?? null) : predicted;
      ends[place] = at + keptSeconds * 1000;
      if (found.size > 0) found.delete(place);
      count += 1;
    },
    async get(request) {
      const place = find(request);
      return place === undefined ? undefined : noteAt(place);
    },
    async replace(request, note, next, keptSeconds) {
      const place = find(request);
      if (place === undefined || noteAt(place) !== note) return false;
      found.set(place, next);
      ends[place] = Date.now() + keptSeconds * 1000;
      return true;
    },
    async forget(keys) {
      const wanted = new Set(keys);
      let removed = 0;
      for (const place of origins.keys()) {
        if (place % KEYS_OF_TURN === 0) await turnEventLoop?.();
        const origin = origins[place];
        if (!origin) continue;
        const { caller } = origin;
        const id = ids.at(place);
        if (!wanted.has(await sha256(keyText(caller, id)))) continue;
        // Another one may have its place by now.
        if (origins[place]?.caller !== caller || ids.at(place) !== id) continue;
        if (find({ caller, id }) === place) removed += 1;
        origins[place] = undefined;
        found.delete(place);
      }
      return removed;
    },
  };
}

function placeOf(number: number): number {
  return number % MOST_NOTES;
}
