import { boundResponses } from "./bounded-responses.ts";

/** The SDK and a client, which begin to load now. No retries: the callers have their own time-outs. */
export async function startDynamoDb() {
  const {
    BatchGetItemCommand,
    ConditionalCheckFailedException,
    DeleteItemCommand,
    DynamoDBClient,
    GetItemCommand,
    PutItemCommand,
    UpdateItemCommand,
  } = await import("./dynamodb-sdk.ts");
  const client = boundResponses(new DynamoDBClient({ maxAttempts: 1 }));
  return {
    client,
    BatchGetItemCommand,
    ConditionalCheckFailedException,
    DeleteItemCommand,
    GetItemCommand,
    PutItemCommand,
    UpdateItemCommand,
  };
}

export type DynamoDb = Awaited<ReturnType<typeof startDynamoDb>>;
