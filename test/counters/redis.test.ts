import { afterAll, beforeAll, expect, test } from "vitest";
import { createRedisCounters } from "../../functions/platform/counters/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { countersContract } from "../../functions/testing.ts";
import { startRedis, type RedisServer } from "../harness/redis-server.ts";
import { instanceOf } from "./shared.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const open = () => instanceOf(createRedisCounters(openRedis(server.url)));

for (const { name, run } of countersContract(open)) test(name, run);

test.each(["stall", "down"] as const)(
  "what is added while Redis is %s is there afterwards, once",
  async (behaviour) => {
    const [one, other] = [open(), open()];
    const group = { model: "iris", name: behaviour, keptSeconds: 60 };
    const add = () => one.add(group, new Map([["all", 1]]));
    add();
    await one.flush();
    server.behave(behaviour);
    for (let round = 0; round < 4; round++) {
      add();
      await one.flush();
    }
    await expect(one.read(group)).rejects.toThrow();
    server.behave("ok");
    add();
    await expect.poll(async () => (await one.read(group)).get("all")).toBe(6);
    await expect.poll(async () => (await other.read(group)).get("all")).toBe(6);
  },
);
