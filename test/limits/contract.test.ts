import { afterAll, beforeAll, describe, test } from "vitest";
import { createMemoryLimiter } from "../../functions/limits/memory-limiter.ts";
import { createDynamodbLimiter } from "../../functions/platform/limiter/dynamodb.ts";
import { createRedisLimiter } from "../../functions/platform/limiter/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { limiterContract } from "../../functions/testing.ts";
import { useDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { startRedis, type RedisServer } from "../harness/redis-server.ts";

describe("memory", () => {
  const limiter = createMemoryLimiter();
  for (const { name, run } of limiterContract(() => limiter)) test(name, run);
});

describe("Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  for (const { name, run } of limiterContract(() => createRedisLimiter(openRedis(server.url))))
    test(name, run);
});

describe("DynamoDB", () => {
  let table: DynamoDb;
  beforeAll(async () => {
    table = await useDynamoDb("rates");
  });
  afterAll(() => table.stop());
  for (const { name, run } of limiterContract(() =>
    createDynamodbLimiter("rates", { start: "now" }),
  ))
    test(name, run);
});
