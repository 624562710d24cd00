import type { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { Limiter } from "../../limits/limiter.ts";
import { startDynamoDb } from "../dynamodb.ts";

/** DynamoDB may remove an item this long after its window. */
const KEPT_SECONDS = 3600;

/**
 * Counts exactly for all environments that share the table. The table's partition key is `id`, a string; its time to
 * live is in `expires`. The clock fixes the windows, and Lambda keeps the clock right. Up to twice the limit can pass
 * around the border of two windows. Each take is one conditional write. DynamoDB allows a thousand writes a second to
 * one key.
 */
export function createDynamodbLimiter(
  table: string,
  options: { start: "now" | "with the first take" },
): Limiter {
  let started = options.start === "now" ? startDynamoDb() : undefined;

  return {
    async take(key, cost, { limit, windowSeconds }) {
      const { client, ConditionalCheckFailedException, UpdateItemCommand } = await (started ??=
        startDynamoDb());
      const seconds = Date.now() / 1000;
      const window = Math.floor(seconds / windowSeconds);
      const end = (window + 1) * windowSeconds;
      const resetSeconds = Math.max(1, Math.ceil(end - seconds));
      const command = new UpdateItemCommand({
        TableName: table,
        Key: { id: { S: `${key}/${windowSeconds}s/${window}` } },
        UpdateExpression: "ADD used :cost SET expires = :expires",
        ConditionExpression: "attribute_not_exists(used) OR used <= :room",
        ExpressionAttributeValues: {
          ":cost": { N: String(cost) },
          ":room": { N: String(limit - cost) },
          ":expires": { N: String(end + KEPT_SECONDS) },
        },
        ReturnValues: "UPDATED_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
      try {
        const { Attributes } = await client.send(command);
        const used = Number(Attributes?.["used"]?.N);
        return { allowed: true, remaining: limit - used, resetSeconds };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return { allowed: false, ...remainingOf(error, limit), resetSeconds };
      }
    },
  };
}

function remainingOf({ Item }: ConditionalCheckFailedException, limit: number) {
  const used = Item?.["used"]?.N;
  return used !== undefined && { remaining: Math.max(0, limit - Number(used)) };
}
