import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { madeUpNames } from "./made-up-names.ts";

madeUpNames(targets.node);

test("500 at once keep neither a cold model nor readiness waiting", async () => {
  const target = await targets.node({ env: { MAX_CONCURRENCY: "600" } });
  onTestFinished(() => target.stop());
  target.store.behave("slow", /release\.json$/);
  const ask = async (path: string, init?: RequestInit) => (await target.fetch(path, init)).status;
  const flood = Array.from({ length: 500 }, (_, index) => ask(`/v1/models/made-up-${index}`));
  const model = ask("/v1/models/iris/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
  });
  expect([await ask("/ready"), await model]).toEqual([200, 200]);
  expect(new Set(await Promise.all(flood))).toEqual(new Set([404]));
  // Some names were looked up before the store's list had said which names exist.
  expect(target.store.gets().filter((key) => key.startsWith("made-up")).length).toBeLessThan(100);
  expect(target.store.lists()).toBeLessThanOrEqual(2);
});
