import { afterAll, beforeAll, describe, test, vi } from "vitest";
import { createMemoryNotes } from "../../functions/observe/feedback/memory-notes.ts";
import { createDynamodbNotes } from "../../functions/platform/notes/dynamodb.ts";
import { createRedisNotes } from "../../functions/platform/notes/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { startDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";
import { NOTES_CASES } from "./notes.ts";

describe("in memory", () => {
  const notes = createMemoryNotes();
  for (const [name, run] of Object.entries(NOTES_CASES)) test(name, () => run(() => notes));
});

describe("in DynamoDB", () => {
  let table: DynamoDb;
  beforeAll(async () => {
    table = await startDynamoDb("notes");
    const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    for (const [name, value] of Object.entries({ ...table.env, ...keys, AWS_REGION: "us-east-1" }))
      vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await table.stop();
  });
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
