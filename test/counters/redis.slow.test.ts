import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRedisCounters } from "../../functions/platform/counters/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { countersContract } from "../../functions/testing.ts";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";
import { instanceOf } from "./shared.ts";

describe.skipIf(!hasRedis)("a real Redis", () => {
  let server: RealRedis;
  beforeAll(async () => {
    server = await startRealRedis();
  });
  afterAll(() => server.stop());
  const open = () => instanceOf(createRedisCounters(openRedis(server.url)));

  for (const { name, run } of countersContract(open)) test(name, run);

  test("messages that a stopped Redis finds later are added once", async () => {
    const instances = [open(), open()];
    const group = { model: "iris", name: "stopped", keptSeconds: 60 };
    const addAll = async () => {
      for (const counters of instances) counters.add(group, new Map([["all", 1]]));
      await Promise.all(instances.map((counters) => counters.flush()));
    };
    await addAll();
    for (let pauses = 0; pauses < 3; pauses++) {
      server.pause();
      for (let round = 0; round < 5; round++) await addAll();
      server.goOn();
      await sleep(300);
      await addAll();
    }
    for (const counters of instances)
      await expect.poll(async () => (await counters.read(group)).get("all")).toBe(38);
  });
});
