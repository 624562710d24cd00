import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { startDynamoDb, type DynamoDb } from "../dynamodb.ts";
import type { Place } from "./gathered.ts";

/** DynamoDB takes 4 KB of an expression: this many fields with short names in it. */
const FIELDS_OF_WRITE = 200;

/**
 * An item remembers the last batch in each of so many places. An instance always uses the same place. A batch that was
 * added, and whose answer was lost, is known unless another instance used the place since.
 */
const PLACES = 32;

/**
 * Tries of one write. A second one is needed where an expired item is in the way, which whoever comes first overwrites.
 * An item that refuses them all has not expired and knows the batch.
 */
const TRIES = 3;

/**
 * The sums of all environments that share the table: an item for each group, with an attribute for each field. The
 * table's partition key is `id`, a string; its time to live is in `expires`. DynamoDB removes items late, so an expired
 * one is overwritten. A group of more fields than one write takes needs several writes.
 */
export function createDynamodbCounters(table: string): Place {
  let started: Promise<DynamoDb> | undefined;

  async function addPart(id: string, part: Part): Promise<void> {
    const { client, ConditionalCheckFailedException, ...sdk } = await (started ??= startDynamoDb());
    for (let tries = 0; tries < TRIES; tries++)
      try {
        await client.send(new sdk.UpdateItemCommand(updateOf(table, id, part)));
        return;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        if (error.Item?.[part.place]?.S === part.batch) return;
        await client
          .send(new sdk.PutItemCommand(replacementOf(table, id, part)))
          .catch((failure: unknown) => {
            if (!(failure instanceof ConditionalCheckFailedException)) throw failure;
          });
      }
  }

  return {
    async add({ instance, turn, model, groups }) {
      const place = `~${Number.parseInt(instance.slice(0, 4), 16) % PLACES}`;
      await Promise.all(
        groups.map(async ({ name, keptSeconds, fields }) => {
          const expires = String(Math.ceil(Date.now() / 1000 + keptSeconds));
          const all = [...fields];
          for (let start = 0; start < all.length; start += FIELDS_OF_WRITE)
            await addPart(idOf(model, name), {
              fields: all.slice(start, start + FIELDS_OF_WRITE),
              expires,
              // A part has a place of its own, so that no part hides another one.
              place: `${place}.${start}`,
              batch: `${instance}/${turn}`,
            });
        }),
      );
    },
    async read({ model, name }) {
      const { client, GetItemCommand } = await (started ??= startDynamoDb());
      const { Item = {} } = await client.send(
        new GetItemCommand({
          TableName: table,
          Key: { id: { S: idOf(model, name) } },
          ConsistentRead: true,
        }),
      );
      if (Number(Item["expires"]?.N ?? 0) <= nowSeconds()) return new Map();
      return new Map(
        Object.entries(Item).flatMap(([attribute, { N }]) =>
          attribute.startsWith(".") ? [[attribute.slice(1), Number(N)] as const] : [],
        ),
      );
    },
  };
}

/** Fields of a group that go in one write. */
interface Part {
  fields: [field: string, value: number][];
  /** Unix time in seconds. */
  expires: string;
  /** The attribute that remembers the batch. */
  place: string;
  batch: string;
}

function updateOf(table: string, id: string, { fields, expires, place, batch }: Part) {
  const names: Record<string, string> = { "#p": place };
  const values: Record<string, AttributeValue> = {
    ":b": { S: batch },
    ":e": { N: expires },
    ":n": { N: String(nowSeconds()) },
  };
  const additions = fields.map(([field, value], index) => {
    names[`#${index}`] = `.${field}`;
    values[`:${index}`] = { N: String(value) };
    return `#${index} :${index}`;
  });
  return {
    TableName: table,
    Key: { id: { S: id } },
    UpdateExpression: `SET expires = :e, #p = :b ADD ${additions.join(",")}`,
    ConditionExpression:
      "attribute_not_exists(id) OR (expires > :n AND (attribute_not_exists(#p) OR #p <> :b))",
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
}

/** An item without fields, in place of one that has expired. */
function replacementOf(table: string, id: string, { expires }: Part) {
  return {
    TableName: table,
    Item: { id: { S: id }, expires: { N: expires } },
    ConditionExpression: "expires <= :n",
    ExpressionAttributeValues: { ":n": { N: String(nowSeconds()) } },
  };
}

function idOf(model: string, name: string): string {
  return `counters/${model}/${name}`;
}

function nowSeconds(): number {
  return Date.now() / 1000;
}
