import { expect, test, vi } from "vitest";
import { MOST_FIELDS, MOST_GROUP_FIELDS } from "../../functions/observe/counters.ts";
import { createStoredSums } from "../../functions/platform/counters/stored-sums.ts";
import {
  createGatheredCounters,
  type Batch,
  type Place,
} from "../../functions/platform/counters/gathered.ts";
import { instanceOf } from "./shared.ts";

const group = { model: "iris", name: "all", keptSeconds: 60 };
const one = new Map([["all", 1]]);

test("a message whose answer is lost is sent again as it was, and later additions wait", async () => {
  const sent: Batch[] = [];
  let isDown = true;
  const counters = instanceOf({
    async add(batch) {
      sent.push(structuredClone(batch));
      if (isDown) throw new Error("the answer is lost");
    },
    read: async () => new Map(),
  });
  counters.add(group, one);
  await counters.flush();
  counters.add(group, one);
  await counters.flush();
  isDown = false;
  await counters.flush();
  await counters.flush();
  const turns = sent.map(({ turn, groups }) => [turn, groups[0]?.fields.get("all")]);
  expect(turns).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
    [2, 1],
  ]);
});

test("a place that stays away takes no more than the bounds, and the log says so once", async () => {
  const log: Record<string, unknown>[] = [];
  const counters = instanceOf(
    { add: () => Promise.reject(new Error("away")), read: () => Promise.reject(new Error("away")) },
    (entry) => void log.push(entry as Record<string, unknown>),
  );
  const before = process.memoryUsage().heapUsed;
  for (let model = 0; model < 100; model++) {
    const fields = Array.from({ length: MOST_GROUP_FIELDS }, (_, index) => [
      `${model}/${index}`,
      1,
    ]);
    counters.add({ ...group, model: `${model}` }, new Map(fields as [string, number][]));
    await counters.flush();
  }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3 * MOST_FIELDS * 1000);
  expect(log.map(({ message }) => message)).toEqual([
    "counters out of reach: what is added waits in this instance",
    "counters: additions were lost",
  ]);
});

test("additions of a second go in one message for each model", async () => {
  vi.useFakeTimers();
  try {
    const add = vi.fn<Place["add"]>(async () => undefined);
    const counters = createGatheredCounters(
      { add, read: async () => new Map() },
      {
        log: () => undefined,
        schedule(send) {
          setTimeout(() => void send(), 1000);
          return true;
        },
      },
    );
    for (let count = 0; count < 1000; count++) {
      counters.add(group, one);
      counters.add({ ...group, name: "other" }, one);
    }
    await vi.advanceTimersByTimeAsync(3000);
    expect(add).toHaveBeenCalledTimes(1);
    counters.add(group, one);
    await vi.advanceTimersByTimeAsync(1000);
    expect(add).toHaveBeenCalledTimes(2);
  } finally {
    vi.useRealTimers();
  }
});

test("a Durable Object forgets what has expired", () => {
  vi.useFakeTimers();
  try {
    const rows = new Map<string, unknown>();
    const sums = createStoredSums({
      get: (key: string) => rows.get(key),
      put: (key: string, value: unknown) => void rows.set(key, value),
      delete: (key: string) => rows.delete(key),
      list: ({ prefix }: { prefix: string }) =>
        [...rows].filter(([key]) => key.startsWith(prefix)).values(),
    } as never);
    const batch = { instance: "a", turn: 1, model: "iris", groups: [{ ...group, fields: one }] };
    sums.add(batch);
    sums.add(batch);
    expect(sums.read("all").get("all")).toBe(1);
    vi.advanceTimersByTime(7_200_000);
    sums.add({ ...batch, instance: "b", groups: [] });
    expect([...rows.keys()]).toEqual(["last/b"]);
  } finally {
    vi.useRealTimers();
  }
});
