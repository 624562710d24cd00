import type { KVNamespace } from "@cloudflare/workers-types";
import { entityId } from "../../features/entity.ts";
import { readRecord, writeRecord } from "../../features/record.ts";
import { emptyRow } from "../../features/row.ts";
import type { EntityKeys, FeatureSource, StoredFeatures } from "../../features/source.ts";

/** Cloudflare gives so many keys at once. */
const KEYS = 100;

/** Features in Workers KV: a text of JSON for each entity, below the source's own name. */
export function createKvSource(name: string, kv: Pick<KVNamespace, "get">): FeatureSource {
  return {
    name,
    async read(entities, names) {
      const keys = entities.map((entity) => keyOf(name, entity));
      const parts: Promise<Map<string, string | null>>[] = [];
      for (let start = 0; start < keys.length; start += KEYS)
        parts.push(kv.get(keys.slice(start, start + KEYS), "text"));
      const found = await Promise.all(parts);
      return keys.map((key, index) => {
        const text = found[Math.floor(index / KEYS)]?.get(key);
        return typeof text === "string" ? readRecord(text, names) : emptyRow(names);
      });
    },
  };
}

/** A row as `wrangler kv bulk put` takes it. */
export function kvPair(name: string, row: StoredFeatures): { key: string; value: string } {
  return { key: keyOf(name, row.keys), value: writeRecord(row) };
}

function keyOf(name: string, keys: EntityKeys): string {
  return `features:${name}:${entityId(keys)}`;
}
