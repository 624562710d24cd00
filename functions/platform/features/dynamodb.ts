import { setTimeout as sleep } from "node:timers/promises";
import { entityId } from "../../features/entity.ts";
import { readRecord, writeRecord } from "../../features/record.ts";
import { emptyRow } from "../../features/row.ts";
import type { EntityKeys, FeatureSource, StoredFeatures } from "../../features/source.ts";
import { startDynamoDb, type DynamoDb } from "../dynamodb.ts";

/** DynamoDB gives so many items at once. */
const ITEMS = 100;
/** How long what DynamoDB left out waits before it is asked again, the first time. */
const AGAIN_MS = 20;

/**
 * Features in a table of DynamoDB with the partition key `id`: a text of JSON for each entity, in `features`, below the
 * source's own name. A batch of 100 entities is one request, and all requests go out at once.
 */
export function createDynamodbSource(name: string, table: string): FeatureSource {
  let started: Promise<DynamoDb> | undefined;
  const start = () => (started ??= startDynamoDb());

  return {
    name,
    async read(entities, names, { signal }) {
      const dynamoDb = await start();
      const ids = entities.map((keys) => idOf(name, keys));
      const found = new Map<string, string | undefined>();
      const reading: Promise<void>[] = [];
      for (let from = 0; from < ids.length; from += ITEMS)
        reading.push(readItems(dynamoDb, table, ids.slice(from, from + ITEMS), found, signal));
      await Promise.all(reading);
      return ids.map((id) =>
        found.has(id) ? readRecord(found.get(id) ?? "", names) : emptyRow(names),
      );
    },
  };
}

/** A row as an item of the table. */
export function dynamodbItem(name: string, row: StoredFeatures) {
  return { id: { S: idOf(name, row.keys) }, features: { S: writeRecord(row) } };
}

/** Reads items until DynamoDB leaves none out, as it does when it is busy or the answer gets too large. */
async function readItems(
  { client, BatchGetItemCommand }: DynamoDb,
  table: string,
  ids: readonly string[],
  found: Map<string, string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  let left = ids.map((id) => ({ id: { S: id } }));
  for (let waitMs = AGAIN_MS; ; waitMs *= 2) {
    const asked = { [table]: { Keys: left, ProjectionExpression: "id, features" } };
    const command = new BatchGetItemCommand({ RequestItems: asked });
    const { Responses, UnprocessedKeys } = await client.send(command, { abortSignal: signal });
    for (const { id, features } of Responses?.[table] ?? [])
      if (id?.S !== undefined) found.set(id.S, features?.S);
    left = (UnprocessedKeys?.[table]?.Keys ?? []) as typeof left;
    if (left.length === 0) return;
    await sleep(waitMs, undefined, { signal });
  }
}

function idOf(name: string, keys: EntityKeys): string {
  return `features/${name}/${entityId(keys)}`;
}
