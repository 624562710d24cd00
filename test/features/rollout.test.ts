import { expect, onTestFinished, test, vi } from "vitest";
import type { CallRecord } from "../../functions/call.ts";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import { isOwnFailure } from "../../functions/rollout/counting.ts";
import { acting, churnFolder, counted, customers, openChurn } from "./service.ts";

const ROW = { customer_id: 42, income: 1 };
const PATHS: [path: string, body: object][] = [
  ["/v1/models/churn/predict", { inputs: [ROW] }],
  ["/v1/models/churn:predict", { instances: [ROW] }],
];

/** A service that keeps the records of its calls. */
async function recorded(source: ReturnType<typeof acting>, timeoutMs: number) {
  const records: CallRecord[] = [];
  const observers = [{ call: (record: CallRecord) => void records.push(record) }];
  const folder = await churnFolder({ timeoutMs, cacheSeconds: 0 });
  return { records, ...openChurn(folder, { sources: [source], observers }) };
}

test.each(PATHS)("%s: what the source takes is not the version's own time", async (path, body) => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const table = createMemorySource("customers", customers());
  const slow = {
    ...table,
    read: async (...asked: Parameters<typeof table.read>) => {
      vi.advanceTimersByTime(100);
      return table.read(...asked);
    },
  };
  const { post, records } = await recorded(slow, 5000);
  expect((await post(path, body)).status).toBe(200);
  expect(records[0]?.durations).toMatchObject({ features: 100, preprocess: 0 });
});

test.each(PATHS)(
  "%s: a source that is late or down tells nothing of a version",
  async (path, body) => {
    for (const [source, status] of [
      [acting(() => new Promise(() => undefined)), 504],
      [acting(() => Promise.reject(new Error("down"))), 503],
    ] as const) {
      const { post, records } = await recorded(source, 20);
      expect((await post(path, body)).status).toBe(status);
      const { error } = records[0] as CallRecord;
      expect(error && isOwnFailure(error.code)).toBe(false);
    }
  },
);

test.each(PATHS)("%s: a caller whose rate is used up costs no read", async (path, body) => {
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const { post } = openChurn(
    await churnFolder(),
    { sources: [source] },
    { AUTH: "none", RATE_LIMIT: "3/60s" },
  );
  const [member = ""] = Object.keys(body);
  const answer = await post(path, { [member]: Array.from({ length: 5 }, () => ROW) });
  expect(answer.status).toBe(429);
  expect(reads).toEqual([]);
});
