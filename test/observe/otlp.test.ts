import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { Platform } from "../../functions/platform/types.ts";
import { startCollector } from "../harness/collector.ts";

const models = join(import.meta.dirname, "../../models");

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function collector() {
  const started = await startCollector();
  stops.push(started.stop);
  return started;
}

/** A platform's `every` that ends with the test: what sends later would write into other tests' logs. */
const every: NonNullable<Platform["every"]> = (milliseconds, work) => {
  const timer = setInterval(() => void work(), milliseconds);
  stops.push(() => clearInterval(timer));
};

function open(endpoint: string, change: Partial<Platform> = {}) {
  const env = {
    STORE: models,
    ACCESS_LOG: "false",
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: "x-team=a%20team,authorization=secret",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  };
  const app = createApp(createService({ ...createNodePlatform(env), every, ...change }));
  return (headers: Record<string, string> = {}) =>
    app.request("/v1/models/iris/predict", {
      method: "POST",
      body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
      headers: { "Content-Type": "application/json", ...headers },
    });
}

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

test("a sampled trace goes on: its answer names the request's span, and the spans arrive", async () => {
  const { received, url } = await collector();
  const ask = open(url);
  const answer = await ask({ traceparent: `00-${TRACE}-${PARENT}-01` });
  const own = /^00-4bf92f3577b34da6a3ce929d0e0e4736-([0-9a-f]{16})-01$/.exec(
    answer.headers.get("traceparent") ?? "",
  )?.[1];
  await ask({ traceparent: `00-${TRACE.replace("4", "5")}-${PARENT}-00` });
  const traces = () => received.filter(({ path }) => path === "/v1/traces");
  await expect.poll(() => traces().length).toBe(1);
  const [{ headers, body } = { headers: {}, body: undefined }] = traces();
  expect(headers).toMatchObject({ "x-team": "a team", authorization: "secret" });
  const { spans } = body.resourceSpans[0].scopeSpans[0];
  expect(spans[0]).toMatchObject({
    traceId: TRACE,
    spanId: own,
    parentSpanId: PARENT,
    name: "POST /v1/models/:model/predict",
    kind: 2,
  });
  // Nothing of the caller or the input.
  const told = (spans[0].attributes as { key: string }[]).map(({ key }) => key);
  expect(told.toSorted()).toEqual([
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "nearcast.assignment",
    "nearcast.model",
    "nearcast.request_id",
    "nearcast.rows",
    "nearcast.version",
  ]);
  const phases = spans.slice(1) as { name: string; parentSpanId: string; traceId: string }[];
  expect(phases.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["read", "resolve", "preprocess", "load", "run", "postprocess"]),
  );
  expect(new Set(phases.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([own]));
  expect(BigInt(spans[0].endTimeUnixNano)).toBeGreaterThan(BigInt(spans[0].startTimeUnixNano));
});

test("a server sends its sums since the start", async () => {
  const { received, url } = await collector();
  const ask = open(url);
  for (let count = 0; count < 4; count++) await ask();
  const sums = () =>
    received
      .filter(({ path }) => path === "/v1/metrics")
      .flatMap(({ body }) => body.resourceMetrics[0].scopeMetrics[0].metrics)
      .filter(({ name }) => name === "nv_inference_request_success")
      .map(({ sum }) => [sum.aggregationTemporality, sum.isMonotonic, sum.dataPoints[0].asDouble]);
  await expect.poll(() => sums().length).toBeGreaterThan(1);
  expect(sums()[1]).toEqual([2, true, 4]);
});

test("where only requests do work, what was added is sent with them, and adds up", async () => {
  const { received, url } = await collector();
  const ask = open(url, { every: undefined } as never);
  for (let count = 0; count < 5; count++) await ask();
  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 2000);
  try {
    for (let count = 0; count < 3; count++) await ask();
  } finally {
    vi.restoreAllMocks();
  }
  const metrics = () => received.filter(({ path }) => path === "/v1/metrics");
  await expect.poll(() => metrics().length).toBe(2);
  let [requests, buckets] = [0, 0];
  for (const { body } of metrics())
    for (const { name, sum, histogram } of body.resourceMetrics[0].scopeMetrics[0].metrics) {
      if (name === "nearcast_http_requests") {
        expect(sum.aggregationTemporality).toBe(1);
        requests += sum.dataPoints[0].asDouble;
      }
      if (name === "http.server.request.duration") {
        const { attributes, bucketCounts, count } = histogram.dataPoints[0];
        expect(attributes[0].key).toBe("http.request.method");
        const all = bucketCounts.map(Number).reduce((one: number, other: number) => one + other, 0);
        expect(all).toBe(Number(count));
        buckets += all;
      }
    }
  // The first is sent at once, the fifth second's with the next request.
  expect([requests, buckets]).toEqual([6, 6]);
});

test("a collector that is away is in the log once, and answers go on", async () => {
  const lines: unknown[] = [];
  const ask = open("http://127.0.0.1:9", {
    every: undefined,
    log: (entry: object) => lines.push(entry),
  } as never);
  expect((await ask()).status).toBe(200);
  await expect.poll(() => lines.length).toBe(1);
  expect(lines[0]).toMatchObject({ level: "warn", message: expect.stringMatching(/^OTLP/) });
});
