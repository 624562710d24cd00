import { describe, expect, test } from "vitest";
import { MOST_FIELDS, MOST_GROUP_FIELDS } from "../../functions/observe/counters.ts";
import { createMemoryCounters } from "../../functions/observe/memory-counters.ts";
import { countersContract } from "../../functions/testing.ts";

describe("memory", () => {
  const counters = createMemoryCounters(() => undefined);
  for (const { name, run } of countersContract(() => counters)) test(name, run);
});

test("fields beyond the bound are lost, and the log says so once a minute", async () => {
  let now = 0;
  const log: unknown[] = [];
  const counters = createMemoryCounters((entry) => log.push(entry), { now: () => now });
  const fields = new Map(Array.from({ length: MOST_GROUP_FIELDS }, (_, index) => [`${index}`, 1]));
  for (let index = 0; index < 20; index++) counters.add(group(index), fields);
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) => counters.read(group(index))),
  );
  const kept = all.reduce((sum, { size }) => sum + size, 0);
  expect(kept).toBeGreaterThan(MOST_FIELDS - 40);
  expect(kept).toBeLessThanOrEqual(MOST_FIELDS);
  const line = { level: "error", message: "counters: additions were lost", lost: 1 };
  expect(log).toEqual([line]);
  now += 60_000;
  counters.add(group(30), fields);
  expect((await counters.read(group(30))).size, "old groups made room").toBe(MOST_GROUP_FIELDS);
  counters.add(group(30), new Map([["one more", 1]]));
  expect(log.length).toBe(2);
});

function group(index: number) {
  return { model: "iris", name: `${index}`, keptSeconds: 60 };
}
