import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import { createObjectSource, writeObjects } from "../../functions/features/object-source.ts";
import { createRedisSource, writeToRedis } from "../../functions/platform/features/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createDynamodbSource } from "../../functions/platform/features/dynamodb.ts";
import { writeToDynamodb } from "../../cli/features/dynamodb.ts";
import { useDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { featureSourceContract } from "../../functions/testing.ts";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";

describe("memory", () => {
  for (const { name, run } of featureSourceContract((rows) =>
    createMemorySource("customers", rows),
  ))
    test(name, run);
});

describe("a folder", () => {
  for (const { name, run } of featureSourceContract(async (rows) => {
    const store = createFolderStore(await mkdtemp(join(tmpdir(), "nearcast-features-")));
    await writeObjects(store, rows);
    return createObjectSource("customers", store);
  }))
    test(name, run);
});

describe("DynamoDB", () => {
  let table: DynamoDb;
  beforeAll(async () => {
    table = await useDynamoDb("features");
  });
  afterAll(() => table.stop());
  for (const { name, run } of featureSourceContract(async (rows) => {
    await writeToDynamodb("features", "customers", rows);
    return createDynamodbSource("customers", "features");
  }))
    test(name, run);
});

describe.skipIf(!hasRedis)("Redis", () => {
  let server: RealRedis;
  beforeAll(async () => {
    server = await startRealRedis();
  });
  afterAll(() => server.stop());
  for (const { name, run } of featureSourceContract(async (rows) => {
    const redis = openRedis(server.url);
    await writeToRedis(redis, "customers", rows);
    return createRedisSource("customers", redis);
  }))
    test(name, run);
});
