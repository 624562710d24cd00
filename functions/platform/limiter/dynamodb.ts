import type { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { Limiter } from "../../limits/limiter.ts";

/** How long after its window DynamoDB may remove an item. */
const KEPT_SECONDS = 3600;

/**
 * Exact across all environments that share the table (partition key `id`, a string; time to live in
 * `expires`). Windows are fixed by the clock, which Lambda keeps right: across the border of two windows
 * twice the limit can pass. Each take is one conditional write, and one key bears a thousand of them a second.
 */
export function createDynamodbLimiter(
  table: string,
  options: { start: "now" | "with the first take" },
): Limiter {
  let started = options.start === "now" ? start() : undefined;

  return {
    async take(key, cost, { limit, windowSeconds }) {
      const { client, ConditionalCheckFailedException, UpdateItemCommand } = await (started ??=
        start());
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

async function start() {
  const { ConditionalCheckFailedException, DynamoDBClient, UpdateItemCommand } =
    await import("./dynamodb-sdk.ts");
  // The caller has its own patience, and one request must not cost several units.
  const client = new DynamoDBClient({ maxAttempts: 1 });
  return { client, ConditionalCheckFailedException, UpdateItemCommand };
}

function remainingOf({ Item }: ConditionalCheckFailedException, limit: number) {
  const used = Item?.["used"]?.N;
  return used !== undefined && { remaining: Math.max(0, limit - Number(used)) };
}
