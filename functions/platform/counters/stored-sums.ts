import type { SyncKvStorage } from "@cloudflare/workers-types";
import type { Batch } from "./gathered.ts";

interface KeptGroup {
  fields: Map<string, number>;
  endsAt: number;
}

/** The last batch of an isolate. */
interface Last {
  turn: number;
  at: number;
}

const GROUP = "group/";
const LAST = "last/";

/** After this time no isolate sends a batch again. */
const REMEMBERED_MS = 3_600_000;

/**
 * The sums of one model in the storage of its Durable Object. A batch is two rows or a few: its groups, and its number.
 * Storage is synchronous, so no other batch comes between.
 */
export function createStoredSums(storage: SyncKvStorage) {
  let sweptAt = 0;

  /** Removes what has expired, at most once an hour. */
  function sweep(now: number): void {
    if (now - sweptAt < REMEMBERED_MS) return;
    sweptAt = now;
    for (const [key, { endsAt }] of storage.list<KeptGroup>({ prefix: GROUP }))
      if (endsAt <= now) storage.delete(key);
    for (const [key, { at }] of storage.list<Last>({ prefix: LAST }))
      if (at + REMEMBERED_MS <= now) storage.delete(key);
  }

  function find(name: string, now: number): KeptGroup | undefined {
    const found = storage.get<KeptGroup>(GROUP + name);
    return found && found.endsAt > now ? found : undefined;
  }

  return {
    add({ instance, turn, groups }: Batch): void {
      const now = Date.now();
      sweep(now);
      const last = storage.get<Last>(LAST + instance);
      if (last && last.turn >= turn) return;
      storage.put<Last>(LAST + instance, { turn, at: now });
      for (const { name, keptSeconds, fields } of groups) {
        const sums = find(name, now)?.fields ?? new Map<string, number>();
        for (const [field, value] of fields) sums.set(field, (sums.get(field) ?? 0) + value);
        storage.put<KeptGroup>(GROUP + name, { fields: sums, endsAt: now + keptSeconds * 1000 });
      }
    },
    read: (name: string): Map<string, number> => find(name, Date.now())?.fields ?? new Map(),
  };
}
