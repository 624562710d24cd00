import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Handle } from "../../functions/jobs/queue.ts";
import { startRedis, type RedisServer } from "../harness/redis-server.ts";
import { until } from "./jobs-over.ts";
import { queueContract } from "./queue-contract.ts";
import { redisQueueAt } from "./redis-contract.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe("a queue in Redis", () => {
  for (const { name, run } of queueContract(() => redisQueueAt(server.url)))
    test.concurrent(name, run);

  test.concurrent("a handler that takes long keeps its message", async () => {
    const { queue, consume } = redisQueueAt(server.url);
    const seen: number[] = [];
    const handle: Handle = async (_key, tries) => {
      seen.push(tries);
      await sleep(2500);
      return "done";
    };
    const consumers = [consume(handle), consume(handle)];
    await queue.send("slow", async () => {});
    await sleep(2000);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(seen).toEqual([1]);
  });

  test.concurrent("not more wait than may, and each that leaves makes room", async () => {
    const { queue, consume } = redisQueueAt(server.url, { mostWaiting: 2 });
    const send = async (key: string) => queue.send(key, async () => {});
    await send("one");
    await send("two");
    await expect(send("three")).rejects.toThrow("2 jobs wait already");
    const consumer = consume(async () => "done");
    await until(async () => send("three").then(() => "sent", String), "sent");
    await consumer.stop();
  });
});
