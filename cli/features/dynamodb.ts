import { setTimeout as sleep } from "node:timers/promises";
import { BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from "@aws-sdk/client-dynamodb";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { dynamodbItem } from "../../functions/platform/features/dynamodb.ts";

/** DynamoDB takes so many items at once. */
const ITEMS = 25;
const AGAIN_MS = 50;
const LONGEST_WAIT_MS = 5000;

/** Writes rows to the table that a source of this name reads. Rejects with the SDK's error. */
export async function writeToDynamodb(
  table: string,
  name: string,
  rows: readonly StoredFeatures[],
): Promise<void> {
  const client = new DynamoDBClient({});
  try {
    for (let start = 0; start < rows.length; start += ITEMS) {
      const some = rows.slice(start, start + ITEMS);
      let left: WriteRequest[] = some.map((row) => ({
        PutRequest: { Item: dynamodbItem(name, row) },
      }));
      // DynamoDB leaves out what is beyond the table's throughput.
      for (let waitMs = AGAIN_MS; left.length > 0; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
        const command = new BatchWriteItemCommand({ RequestItems: { [table]: left } });
        const { UnprocessedItems } = await client.send(command);
        left = UnprocessedItems?.[table] ?? [];
        if (left.length > 0) await sleep(waitMs);
      }
    }
  } finally {
    client.destroy();
  }
}
