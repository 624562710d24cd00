import type { SyncKvStorage } from "@cloudflare/workers-types";

interface Kept {
  text: string;
  endsAt: number;
}

const NOTE = "note/";
const SWEEP_MS = 60_000;
/** Of so many notes at a time, those whose time is over are removed. */
const SWEPT = 500;

/** Notes in the storage of a Durable Object, which is synchronous: nothing comes between a read and a write. */
export function createStoredNotes(storage: SyncKvStorage) {
  let sweptAt = 0;
  let last = NOTE;

  function sweep(now: number): void {
    if (now - sweptAt < SWEEP_MS) return;
    sweptAt = now;
    let count = 0;
    for (const [key, { endsAt }] of storage.list<Kept>({
      prefix: NOTE,
      start: last,
      limit: SWEPT,
    })) {
      if (endsAt <= now) storage.delete(key);
      last = key;
      count += 1;
    }
    if (count < SWEPT) last = NOTE;
  }

  function get(key: string): string | undefined {
    const found = storage.get<Kept>(NOTE + key);
    return found && found.endsAt > Date.now() ? found.text : undefined;
  }

  function put(key: string, text: string, keptSeconds: number): void {
    const now = Date.now();
    sweep(now);
    storage.put<Kept>(NOTE + key, { text, endsAt: now + keptSeconds * 1000 });
  }

  return {
    get,
    put,
    replace(key: string, text: string, next: string, keptSeconds: number): boolean {
      if (get(key) !== text) return false;
      put(key, next, keptSeconds);
      return true;
    },
    delete: (key: string): boolean => storage.delete(NOTE + key),
  };
}
