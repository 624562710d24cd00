import { entityId } from "../../features/entity.ts";
import { readRecord, writeRecord } from "../../features/record.ts";
import { emptyRow } from "../../features/row.ts";
import type { EntityKeys, FeatureSource, StoredFeatures } from "../../features/source.ts";
import type { Redis } from "../redis.ts";

/** How many rows one command writes. */
const ROWS = 500;

/** How long one command may write: loading waits for a busy Redis, and calls do not. */
const WRITE_TIMEOUT_MS = 60_000;

/** Features in Redis: a text of JSON for each entity, below the source's own name. One `MGET` reads all entities. */
export function createRedisSource(name: string, redis: Redis): FeatureSource {
  return {
    name,
    async read(entities, names, { signal }) {
      const keys = entities.map((entity) => keyOf(name, entity));
      const found = await redis((client) => client.mGet(keys), signal);
      return found.map((text) => (text === null ? emptyRow(names) : readRecord(text, names)));
    },
  };
}

export async function writeToRedis(
  redis: Redis,
  name: string,
  rows: readonly StoredFeatures[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS) {
    const some = rows.slice(start, start + ROWS);
    const pairs = some.map((row): [string, string] => [keyOf(name, row.keys), writeRecord(row)]);
    await redis((client) => client.mSet(pairs), AbortSignal.timeout(WRITE_TIMEOUT_MS));
  }
}

function keyOf(name: string, keys: EntityKeys): string {
  return `nearcast:features:${name}:${entityId(keys)}`;
}
