import type { NotePlace } from "../../observe/feedback/notes.ts";
import { startDynamoDb, type DynamoDb } from "../dynamodb.ts";

/** Keeps notes in the table of the counters. Its partition key is `id`, its time to live is in `expires`. */
export function createDynamodbNotes(table: string): NotePlace {
  let started: Promise<DynamoDb> | undefined;
  const start = () => (started ??= startDynamoDb());

  return {
    async put(key, text, keptSeconds) {
      const { client, PutItemCommand } = await start();
      await client.send(
        new PutItemCommand({ TableName: table, Item: item(key, text, keptSeconds) }),
      );
    },
    async get(key) {
      const { client, GetItemCommand } = await start();
      const { Item: found } = await client.send(
        new GetItemCommand({
          TableName: table,
          Key: { id: { S: idOf(key) } },
          ConsistentRead: true,
        }),
      );
      // DynamoDB removes items late.
      return Number(found?.["expires"]?.N ?? 0) > Date.now() / 1000
        ? found?.["text"]?.S
        : undefined;
    },
    async replace(key, text, next, keptSeconds) {
      const { client, ConditionalCheckFailedException, PutItemCommand } = await start();
      const command = new PutItemCommand({
        TableName: table,
        Item: item(key, next, keptSeconds),
        ConditionExpression: "#text = :text AND expires > :now",
        ExpressionAttributeNames: { "#text": "text" },
        ExpressionAttributeValues: { ":text": { S: text }, ":now": { N: `${Date.now() / 1000}` } },
      });
      try {
        await client.send(command);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
    async delete(key) {
      const { client, DeleteItemCommand } = await start();
      const { Attributes: removed } = await client.send(
        new DeleteItemCommand({
          TableName: table,
          Key: { id: { S: idOf(key) } },
          ReturnValues: "ALL_OLD",
        }),
      );
      return removed !== undefined;
    },
  };
}

function item(key: string, text: string, keptSeconds: number) {
  const expires = String(Math.ceil(Date.now() / 1000 + keptSeconds));
  return { id: { S: idOf(key) }, text: { S: text }, expires: { N: expires } };
}

function idOf(key: string): string {
  return `note/${key}`;
}
