import * as z from "zod";
import { ageOf } from "../age.ts";
import { hash } from "../model/assignment.ts";
import type { Store } from "../model/store.ts";
import { entityId } from "./entity.ts";
import { readJson, recordOf, rowOf } from "./record.ts";
import { emptyRow, unreadableRow } from "./row.ts";
import type { FeatureRow, FeatureSource, StoredFeatures } from "./source.ts";

const INDEX = "index.json";
const MOST_INDEX_BYTES = 64 * 1024;
const MOST_SHARD_BYTES = 16 * 1024 * 1024;
/** About how many bytes a shard has: one is read for an entity. */
const SHARD_BYTES = 64 * 1024;
const MOST_SHARDS = 65_536;
/** How soon a table that was loaded again shows. */
const INDEX_MS = 5000;
/** How many shards are read or written at once. */
const AT_ONCE = 16;

const indexSchema = z.strictObject({
  format: z.literal(1),
  /** The folder of the table's shards. The one before is kept for those that still read it. */
  generation: z.string().regex(/^[\da-f-]{36}$/),
  before: z.string().optional(),
  shards: z.number().int().min(1).max(MOST_SHARDS),
});
type Index = z.output<typeof indexSchema>;

/**
 * A table in objects of a store: `index.json` and shards, each with the entities whose ids have its hash. A row costs one
 * object of about 64 KiB.
 */
export function createObjectSource(name: string, store: Pick<Store, "get">): FeatureSource {
  let known: { index: Index; readAt: number } | undefined;

  async function currentIndex(signal: AbortSignal): Promise<Index> {
    if (known && ageOf(known.readAt) < INDEX_MS) return known.index;
    const index = await readIndex(store, signal);
    if (!index) throw new Error(`there is no ${INDEX}`);
    known = { index, readAt: Date.now() };
    return index;
  }

  return {
    name,
    async read(entities, names, { signal }) {
      const { generation, shards } = await currentIndex(signal);
      const rows: FeatureRow[] = entities.map(() => emptyRow(names));
      const wanted = new Map<number, { id: string; place: number }[]>();
      for (const [place, keys] of entities.entries()) {
        const id = entityId(keys);
        const shard = shardOf(id, shards);
        const own = wanted.get(shard);
        if (own) own.push({ id, place });
        else wanted.set(shard, [{ id, place }]);
      }
      await eachOf([...wanted], async ([shard, asked]) => {
        const key = shardKey(generation, shard);
        const found = await store.get(key, { signal, maxBytes: MOST_SHARD_BYTES });
        if (!found || found === "not-modified") {
          // The table was loaded twice since the index was read.
          known = undefined;
          throw new Error(`there is no ${key}`);
        }
        const records = readJson(new TextDecoder().decode(found.bytes));
        for (const { id, place } of asked)
          if (typeof records !== "object" || records === null) rows[place] = unreadableRow(names);
          else if (Object.hasOwn(records, id))
            rows[place] = rowOf((records as Record<string, unknown>)[id], names);
      });
      return rows;
    },
  };
}

/**
 * Writes a whole table. Readers see the old one until all of the new one is there. The generation before the last is
 * removed.
 */
export async function writeObjects(
  store: Pick<Store, "get" | "put" | "list" | "delete">,
  rows: readonly StoredFeatures[],
): Promise<void> {
  const before = await readIndex(store);
  const generation = crypto.randomUUID();
  const entries = rows.map((row) => [entityId(row.keys), recordOf(row)] as const);
  const shards = shardsFor(JSON.stringify(entries).length);
  const tables = Array.from({ length: shards }, (): (typeof entries)[number][] => []);
  for (const entry of entries) tables[shardOf(entry[0], shards)]?.push(entry);
  await eachOf([...tables.entries()], async ([shard, own]) => {
    await store.put(shardKey(generation, shard), asBytes(Object.fromEntries(own)));
  });
  const index: Index = {
    format: 1,
    generation,
    ...(before && { before: before.generation }),
    shards,
  };
  await store.put(INDEX, asBytes(index));
  if (before?.before)
    await eachOf(await store.list(`${before.before}/`), (key) => store.delete(key));
}

async function readIndex(
  store: Pick<Store, "get">,
  signal?: AbortSignal,
): Promise<Index | undefined> {
  const found = await store.get(INDEX, {
    maxBytes: MOST_INDEX_BYTES,
    ...(signal && { signal }),
  });
  if (!found || found === "not-modified") return undefined;
  const content = readJson(new TextDecoder().decode(found.bytes));
  const { data } = indexSchema.safeParse(content, { jitless: true });
  if (!data) throw new Error(`${INDEX} is not one of features`);
  return data;
}

function shardsFor(bytes: number): number {
  return Math.min(MOST_SHARDS, Math.max(1, Math.ceil(bytes / SHARD_BYTES)));
}

function shardOf(id: string, shards: number): number {
  return hash(id) % shards;
}

function shardKey(generation: string, shard: number): string {
  return `${generation}/${shard}.json`;
}

function asBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE)
    await Promise.all(items.slice(start, start + AT_ONCE).map(work));
}
