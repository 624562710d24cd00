import { afterAll, beforeAll, describe, test } from "vitest";
import { createMemoryNotes } from "../../functions/observe/feedback/memory-notes.ts";
import { createDynamodbNotes } from "../../functions/platform/notes/dynamodb.ts";
import { createRedisNotes } from "../../functions/platform/notes/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { useDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";
import { NOTES_CASES } from "./notes.ts";

describe("in memory", () => {
  const notes = createMemoryNotes();
  for (const [name, run] of Object.entries(NOTES_CASES)) test(name, () => run(() => notes));
});

describe("in DynamoDB", () => {
  let table: DynamoDb;
  beforeAll(async () => {
    table = await useDynamoDb("notes");
  });
  afterAll(() => table.stop());
  for (const [name, run] of Object.entries(NOTES_CASES))
    test(name, () => run(() => createDynamodbNotes("notes")));
});

describe.skipIf(!hasRedis)("in Redis", () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await startRealRedis();
  });
  afterAll(() => redis.stop());
  for (const [name, run] of Object.entries(NOTES_CASES))
    test(name, () => run(() => createRedisNotes(openRedis(redis.url))));
});
