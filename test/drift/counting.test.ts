import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { DriftReport } from "../../functions/observe/drift/report.ts";
import { driftOf } from "../../functions/observe/drift/window.ts";
import { createMemoryCounters } from "../../functions/observe/memory-counters.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { modelsWithBaseline } from "./models-with-baseline.ts";

let models: string;
let manifest: Manifest;
beforeAll(async () => {
  models = await modelsWithBaseline();
  manifest = JSON.parse(await readFile(join(models, "iris/1/model.json"), "utf8")) as Manifest;
});

afterAll(() => rm(models, { recursive: true }));

const platform = () => createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
const flower = [5.1, 3.5, 1.4, 0.2];

test("each row of a call is counted once, whatever the dialect, and refused calls are not", async () => {
  const service = createService(platform());
  const app = createApp(service);
  const post = (path: string, body: unknown) =>
    app.request(path, { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE });
  const inputs = Array.from({ length: 40 }, () => flower);
  expect((await post("/v1/models/iris/predict", { inputs })).status).toBe(200);
  expect((await post("/v1/models/iris/predict", { inputs: flower })).status).toBe(200);
  expect((await post("/v1/models/iris/predict", { inputs: [1, 2, 3, "x"] })).status).toBe(422);
  const tensor = { name: "features", datatype: "FP32", shape: [2, 4], data: [flower, flower] };
  expect((await post("/v2/models/iris/infer", { inputs: [tensor] })).status).toBe(200);
  const answer = await app.request("/v1/models/iris/drift?hours=1");
  const report = (await answer.json()) as DriftReport;
  expect(report).toMatchObject({ model: "iris", version: "1", hours: 1, drifted: true });
  expect(report.quantities.map(({ name, count }) => [name, count])).toEqual(
    manifest.baseline?.quantities.map(({ name }) => [name, 43]),
  );
  const metrics = await (await app.request("/metrics")).text();
  expect(metrics).toMatch(
    /nearcast_drift_psi\{model="iris",version="1",feature="petal_length"\} [1-9]/,
  );
  expect(metrics).toContain(
    'nearcast_drift_detected{model="iris",version="1",feature="prediction.label"} 1',
  );
  const label = report.quantities.find(({ name }) => name === "prediction.label");
  expect(label?.summary).toMatch(/^prediction\.label: more "setosa" \(\d+ % → 100 %\), PSI/);
  expect(label?.bins[0]).toMatchObject({ category: "setosa", window: 1 });
});

test("instances that share counters add up, and hours end", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1, 10, 59) });
  try {
    const counters = createMemoryCounters(() => undefined);
    const services = [1, 2, 3].map(() => createService({ ...platform(), counters }));
    await Promise.all(
      Array.from({ length: 90 }, async (_, at) =>
        services[at % 3]?.predict({ model: "iris", inputs: flower }),
      ),
    );
    const count = async (hours: number) =>
      (await driftOf(counters, manifest, hours))?.quantities[0]?.count;
    expect(await count(1)).toBe(90);
    vi.setSystemTime(Date.UTC(2026, 0, 1, 11, 1));
    expect(await count(1)).toBe(0);
    expect(await count(2)).toBe(90);
  } finally {
    vi.useRealTimers();
  }
});

test("a model without a baseline adds nothing, and says so when it is asked", async () => {
  const counters = createMemoryCounters(() => undefined);
  const add = vi.spyOn(counters, "add");
  const addSoon = vi.spyOn(counters, "addSoon");
  const service = createService({ ...createNodePlatform({ ACCESS_LOG: "false" }), counters });
  await service.predict({ model: "iris", inputs: flower });
  // What is added soon is added when something is read.
  for (const [source] of addSoon.mock.calls) source(counters.add);
  const names = add.mock.calls.map(([{ name }]) => name);
  expect(names.filter((name) => name.startsWith("drift/"))).toEqual([]);
  const answer = await createApp(service).request("/v1/models/iris/drift");
  expect(answer.status).toBe(404);
  expect(await answer.text()).toMatch(/has no baseline/);
});

const JSON_TYPE = { "Content-Type": "application/json" };
