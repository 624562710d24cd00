import { expect, test } from "vitest";
import type { CallRecord } from "../../functions/call.ts";
import { gather } from "../../functions/observe/gather.ts";
import { createStatistics } from "../../functions/observe/statistics.ts";

function ran(version: string): CallRecord {
  return { model: "iris", version, executed: true, at: 1, rows: 2 } as CallRecord;
}

test("a version for each of a hundred thousand pushes does not stay: those that ran last are known", () => {
  const calls = gather<CallRecord>();
  const statistics = createStatistics(calls);
  for (let version = 0; version < 100_000; version++) {
    calls.add(ran(String(version)));
    calls.add(ran("stable"));
  }
  const known = statistics.all();
  expect(known.length).toBeLessThanOrEqual(2000);
  const stable = known.find(({ version }) => version === "stable");
  expect(stable).toMatchObject({ execution_count: 100_000 });
  expect(statistics.of({ name: "iris", version: "99001" }).inference_count).toBe(2);
  expect(statistics.of({ name: "iris", version: "99999" }).inference_count).toBe(2);
  expect(statistics.of({ name: "iris", version: "0" }).inference_count).toBe(0);
});

test("durations are those of the phases: queuing has the time to load the model", () => {
  const calls = gather<CallRecord>();
  const statistics = createStatistics(calls);
  const durations = { read: 100, load: 1, queue: 2, preprocess: 4, run: 8, postprocess: 16 };
  calls.add({ ...ran("1"), durations });
  calls.add({ ...ran("1"), durations: undefined });
  const { inference_stats: stats } = statistics.of({ name: "iris", version: "1" });
  const ns = Object.entries(stats).map(([name, { count, ns }]) => [name, count, ns / 1e6]);
  expect(ns).toEqual([
    ["success", 2, 31],
    ["fail", 0, 0],
    ["queue", 2, 3],
    ["compute_input", 2, 4],
    ["compute_infer", 2, 8],
    ["compute_output", 2, 16],
    ["cache_hit", 0, 0],
    ["cache_miss", 0, 0],
  ]);
});
