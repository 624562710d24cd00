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
