import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { Store } from "../../functions/model/store.ts";
import { createGatheredCounters, type Batch } from "../../functions/platform/counters/gathered.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { keepForFeedback, modelsWithBaseline } from "./models-with-baseline.ts";

const CALLS = 30;

let models: string;
beforeAll(async () => {
  models = await modelsWithBaseline();
  await keepForFeedback(models);
  const segments = [{ id: 1, since: new Date().toISOString(), share: 0.5 }];
  const candidates = [{ version: "2", percent: 50, segments }];
  const release = { schema: 2, revision: 1, stable: "1", salt: "s", candidates };
  await writeFile(join(models, "iris/release.json"), JSON.stringify(release));
});
afterAll(() => rm(models, { recursive: true }));

test("metrics, drift, feedback and a trial ask the store for nothing, and send one message together", async () => {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  let asked = 0;
  const counting = Object.fromEntries(
    Object.entries(platform.store).map(([name, method]) => [
      name,
      (...given: unknown[]) => {
        asked += 1;
        return (method as (...given: unknown[]) => unknown)(...given);
      },
    ]),
  ) as unknown as Store;
  const batches: Batch[] = [];
  const scheduled: (() => Promise<void>)[] = [];
  const place = {
    add: async (batch: Batch) => void batches.push(batch),
    read: () => Promise.resolve(new Map<string, number>()),
  };
  const schedule = (send: () => Promise<void>) => scheduled.push(send) > 0;
  const counters = createGatheredCounters(place, { log: () => undefined, schedule });
  const app = createApp(createService({ ...platform, store: counting, counters }));
  const predict = async (key: string) => {
    const answer = await app.request("/v1/models/iris/predict", {
      method: "POST",
      body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
      headers: { "Content-Type": "application/json", "X-Nearcast-Key": key },
    });
    return answer.status === 200;
  };
  const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
  // Version 2 is not there: its keys get errors, and those of stable are the ones to count.
  const own: string[] = [];
  for (const key of keys) if (own.length < CALLS && (await predict(key))) own.push(key);
  await scheduled.pop()?.();
  batches.length = 0;
  scheduled.length = 0;
  asked = 0;
  for (const key of own) expect(await predict(key)).toBe(true);
  expect(asked).toBe(0);
  // The next message is on its way already, with all that is added until then.
  expect(scheduled.length).toBe(1);
  expect(batches).toEqual([]);
  await scheduled[0]?.();
  expect(batches.map(({ model }) => model)).toEqual(["iris"]);
  const names = batches.flatMap(({ groups }) => groups.map(({ name }) => name.split("/")[0]));
  expect(new Set(names)).toEqual(new Set(["drift", "feedback", "rollout"]));
  expect(names.length).toBe(3);
});
