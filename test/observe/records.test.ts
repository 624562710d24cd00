import { join } from "node:path";
import { expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { CallRecord } from "../../functions/call.ts";
import { createDeferred } from "../../functions/deferred.ts";
import { createDeadline } from "../../functions/load/deadline.ts";
import type { RequestRecord } from "../../functions/observe/observer.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Platform } from "../../functions/platform/types.ts";
import { createService } from "../../functions/service.ts";

const models = join(import.meta.dirname, "../../models");
const IRIS = [5.1, 3.5, 1.4, 0.2];

function open(change: Partial<Platform> = {}, env: Record<string, string> = {}) {
  const calls: CallRecord[] = [];
  const requests: RequestRecord[] = [];
  const logged: Record<string, unknown>[] = [];
  const platform = {
    ...createNodePlatform({ STORE: models, ACCESS_LOG: "false", ...env }),
    log: (entry: Record<string, unknown>) => void logged.push(entry),
    ...change,
  };
  const service = createService(platform, {
    observers: [
      {
        call: () => {
          throw new Error("an observer of no use");
        },
      },
      {
        call: (record) => void calls.push(record),
        request: (record) => void requests.push(record),
      },
    ],
  });
  return { service, app: createApp(service), calls, requests, logged };
}

test("a script that calls the service leaves a record, and no HTTP is needed", async () => {
  const { service, calls, requests } = open();
  const { outputs, record } = await service.predict({ model: "iris", inputs: [IRIS, IRIS] });
  expect(outputs).toMatchObject([{ label: "setosa" }, { label: "setosa" }]);
  expect(calls).toEqual([record]);
  expect(record).toMatchObject({
    kind: "predict",
    caller: "anonymous",
    model: "iris",
    version: "1",
    reason: "stable",
    rows: 2,
    executed: true,
    error: undefined,
    inputs: undefined,
  });
  expect(Object.keys(record.durations ?? {})).toEqual([
    "resolve",
    "preprocess",
    "load",
    "run",
    "postprocess",
  ]);
  expect(requests).toEqual([]);
});

test("a call that is refused leaves a record of why, and is not counted as run", async () => {
  const { service, calls } = open();
  await expect(service.predict({ model: "iris", inputs: ["x"] })).rejects.toThrow();
  await expect(service.predict({ model: "none", inputs: ["x"] })).rejects.toThrow();
  expect(calls).toMatchObject([
    { model: "iris", version: "1", executed: false, error: { code: "invalid_input" } },
    { model: "none", version: undefined, executed: false, error: { code: "unknown_model" } },
  ]);
  expect(service.statistics.all()).toEqual([]);
});

test("an observer that throws harms nobody, and the log says so", async () => {
  const { service, logged } = open();
  await service.predict({ model: "iris", inputs: IRIS });
  expect(logged).toContainEqual(
    expect.objectContaining({
      message: "An observer failed.",
      error: "Error: an observer of no use",
    }),
  );
});

test("of an HTTP request the record has the call's, whatever the dialect", async () => {
  const { app, calls, requests } = open();
  const headers = { "Content-Type": "application/json", "X-Request-Id": "one" };
  const post = (path: string, body: unknown) =>
    app.request(path, { method: "POST", headers, body: JSON.stringify(body) });
  await post("/v1/models/iris/predict", { inputs: IRIS });
  await post("/v1/models/iris:predict", { instances: [IRIS] });
  await post("/v2/models/iris/infer", {
    inputs: [{ name: "features", shape: [1, 4], datatype: "FP32", data: IRIS }],
  });
  await post("/v1/embeddings", { model: "search", input: "a cup" });
  expect(requests.map(({ status, call }) => [status, call])).toEqual(
    calls.map((call) => [200, call]),
  );
  expect(calls.map(({ id, model, kind }) => [id, model, kind])).toEqual([
    ["one", "iris", "predict"],
    ["one", "iris", "infer"],
    ["one", "iris", "infer"],
    ["one", "search", "predict"],
  ]);
  expect(calls[0]?.durations).toHaveProperty("read");
});

test("a call that outlives its deadline has one record, of what its caller was told", async () => {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const started = createDeferred<void>();
  const { service, calls } = open({
    ...platform,
    runtime: async () => {
      await started.promise;
      return platform.runtime();
    },
  });
  // The model is known before, so that the deadline falls into the wait for the runtime.
  await service.resolve({ model: "iris" });
  const deadline = createDeadline(50, () => false);
  const work = service.predict({ model: "iris", inputs: IRIS, deadline });
  work.catch(() => undefined);
  await expect(deadline.within(work)).rejects.toMatchObject({ code: "deadline_exceeded" });
  expect(calls).toMatchObject([{ version: "1", error: { code: "deadline_exceeded" } }]);
  started.resolve();
  await work.catch(() => undefined);
  expect(calls).toHaveLength(1);
});

test("without a deadline of its own a call has the deployment's", async () => {
  const { service, calls } = open(
    { runtime: () => new Promise(() => undefined) },
    { REQUEST_TIMEOUT_MS: "50" },
  );
  await expect(service.predict({ model: "iris", inputs: IRIS })).rejects.toMatchObject({
    code: "deadline_exceeded",
  });
  expect(calls).toMatchObject([{ error: { code: "deadline_exceeded" } }]);
});

test("requests that are no calls leave a record of the request alone", async () => {
  const { app, requests } = open();
  await app.request("/health");
  await app.request("/nothing");
  expect(requests).toMatchObject([
    { path: "/health", status: 200, cold: true, call: undefined },
    { path: "/nothing", status: 404, cold: false, error: { code: "not_found" } },
  ]);
});
