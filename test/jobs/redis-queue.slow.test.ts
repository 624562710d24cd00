import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, test } from "vitest";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";
import { until } from "./jobs-over.ts";
import { queueContract } from "./queue-contract.ts";
import { redisQueueAt } from "./redis-contract.ts";

describe.skipIf(!hasRedis)("a queue in a real Redis", () => {
  let server: RealRedis;
  beforeAll(async () => {
    server = await startRealRedis();
  });
  afterAll(() => server.stop());

  for (const { name, run } of queueContract(() => redisQueueAt(server.url)))
    test.concurrent(name, run);

  test("a Redis that has lost all takes new messages, and they are handled", async () => {
    const { queue, consume } = redisQueueAt(server.url);
    const seen: string[] = [];
    const consumer = consume(async (key) => {
      seen.push(key);
      return "done";
    });
    await queue.send("before", async () => {});
    await until(() => seen, ["before"]);
    const client = createClient({ url: server.url });
    await client.connect();
    await client.flushAll();
    client.destroy();
    await queue.send("after", async () => {});
    await until(() => seen, ["before", "after"]);
    await consumer.stop();
  });
});
