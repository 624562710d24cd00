import { keyText } from "../capture/captured.ts";
import type { Outcome } from "./outcomes.ts";

/** A prediction belongs to the caller who asked for it. */
export interface Request {
  caller: string;
  id: string;
}

/** When it began, in milliseconds since 1970. */
interface Asked extends Request {
  at: number;
}

/** A kept prediction. */
export interface Note {
  model: string;
  version: string;
  predicted: (Outcome | null)[];
  actual?: Outcome[];
}

/** Kept predictions, for a while. All instances see the same ones, where the platform has a place for them. */
export interface Notes {
  /** Keeps a prediction, in place of an earlier one. A promise only where the place is elsewhere and may be out of reach. */
  put(asked: Asked, note: Note, keptSeconds: number): void | Promise<void>;
  /** Undefined where nothing was kept, or its time is over. */
  get(request: Request): Promise<Note | undefined>;
  /**
   * Puts `next` in place of `note`, which `get` gave. Of several at once, only one does. False where another one is
   * there, or none.
   */
  replace(request: Request, note: Note, next: Note, keptSeconds: number): Promise<boolean>;
  /** Removes predictions by the SHA-256 of {@link keyText}. Gives how many there were. */
  forget(keys: readonly string[]): Promise<number>;
}

/** Short texts by key, for a while, in a place of all instances. All methods reject while it cannot be reached. */
export interface NotePlace {
  put(key: string, text: string, keptSeconds: number): Promise<void>;
  get(key: string): Promise<string | undefined>;
  /** Puts `next` in place of `text`. Of several at once, only one does. */
  replace(key: string, text: string, next: string, keptSeconds: number): Promise<boolean>;
  /** False where there was nothing. */
  delete(key: string): Promise<boolean>;
}

/** Keeps predictions in a place of all instances, as JSON by the digest of the request. */
export function createSharedNotes(
  place: NotePlace,
  sha256: (text: string) => string | Promise<string>,
): Notes {
  const keyOf = async ({ caller, id }: Request) => sha256(keyText(caller, id));
  return {
    put: async (request, note, keptSeconds) =>
      place.put(await keyOf(request), JSON.stringify(note), keptSeconds),
    async get(request) {
      const text = await place.get(await keyOf(request));
      return text === undefined ? undefined : (JSON.parse(text) as Note);
    },
    // Notes keep the order of their members.
    replace: async (request, note, next, keptSeconds) =>
      place.replace(await keyOf(request), JSON.stringify(note), JSON.stringify(next), keptSeconds),
    async forget(keys) {
      const removed = await Promise.all(keys.map(async (key) => place.delete(key)));
      return removed.filter(Boolean).length;
    },
  };
}
