import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { CallRecord } from "../../functions/call.ts";
import { digest } from "../../functions/digest.ts";
import type { Counters } from "../../functions/observe/counters.ts";
import { createMemoryCounters } from "../../functions/observe/memory-counters.ts";
import { createMetricCounts, gatherRecords } from "../../functions/observe/metric-counts.ts";
import { SUMMED } from "../../functions/observe/metrics.ts";
import { writeMetrics } from "../../functions/observe/metrics-text.ts";
import type { RequestRecord } from "../../functions/observe/observer.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { complaints, hasPrometheus } from "../harness/promtool.ts";
import { samplesOf } from "../harness/samples.ts";
import { openService } from "../limits/counting-service.ts";

const models = join(import.meta.dirname, "../../models");
const IRIS = [5.1, 3.5, 1.4, 0.2];

function open(env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false", ...env });
  const app = createApp(createService(platform));
  return {
    ask: (path: string, inputs: unknown, headers = {}) =>
      app.request(path, {
        method: "POST",
        body: JSON.stringify({ inputs }),
        headers: { "Content-Type": "application/json", ...headers },
      }),
    scrape: (headers = {}) => app.request("/metrics", { headers }),
  };
}

const OPEN_METRICS = { Accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" };

describe("a service that was asked", async () => {
  const { ask, scrape } = open();
  for (let count = 0; count < 5; count++) await ask("/v1/models/iris/predict", [IRIS, IRIS]);
  for (let count = 0; count < 3; count++) await ask("/v1/models/iris/predict", [[1]]);
  for (let count = 0; count < 50; count++) await ask(`/v1/models/made-up-${count}/predict`, []);
  for (let count = 0; count < 50; count++) await ask(`/made-up/${count}`, []);
  const text = await (await scrape()).text();
  const samples = samplesOf(text);
  const iris = '{model="iris",version="1"';

  test("counts as Triton does", () => {
    expect(samples.get(`nv_inference_request_success${iris}}`)).toBe(5);
    expect(samples.get(`nv_inference_request_failure${iris},reason="OTHER"}`)).toBe(3);
    expect(samples.get(`nv_inference_count${iris}}`)).toBe(10);
    expect(samples.get(`nv_inference_exec_count${iris}}`)).toBe(5);
    const sums = ["queue", "compute_input", "compute_infer", "compute_output"].map(
      (part) => samples.get(`nv_inference_${part}_duration_us${iris}}`) ?? 0,
    );
    const all = samples.get(`nv_inference_request_duration_us${iris}}`) ?? 0;
    expect(sums[2]).toBeGreaterThan(0);
    expect(all).toBeGreaterThanOrEqual(sums.reduce((sum, one) => sum + one, 0) - 50);
  });

  test("counts requests by route and status, durations in buckets", () => {
    expect(samples.get(`nearcast_http_requests_total${labels(200)}}`)).toBe(5);
    expect(samples.get(`nearcast_http_requests_total${labels(422)}}`)).toBe(3);
    expect(samples.get(`nearcast_http_requests_total${labels(404)}}`)).toBe(50);
    const name = "http_server_request_duration_seconds";
    expect(samples.get(`${name}_count${labels(200)}}`)).toBe(5);
    expect(samples.get(`${name}_bucket${labels(200)},le="+Inf"}`)).toBe(5);
    expect(samples.get(`nearcast_inference_duration_seconds_count${iris}}`)).toBe(5);
    expect(samples.get('nearcast_refusals_total{code="unknown_model"}')).toBe(50);
    expect(samples.get("nearcast_cold_starts_total")).toBe(1);
    expect(samples.get(`nearcast_model_loads_total${iris},outcome="loaded"}`)).toBe(1);
  });

  test("has no name that a client made up", () => {
    expect(text).not.toMatch(/made-up/);
    expect(text).toMatch(/http_route="",http_response_status_code="404"\} 50/);
  });

  test("writes OpenMetrics for who prefers it", async () => {
    const answer = await scrape(OPEN_METRICS);
    const type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    expect(answer.headers.get("content-type")).toBe(type);
    const openText = await answer.text();
    expect(openText).toMatch(/# EOF\n$/);
    expect(openText).toMatch(/^# TYPE nearcast_cold_starts counter$/m);
    expect(openText).toMatch(/^# UNIT http_server_request_duration_seconds seconds$/m);
    expect(openText).toMatch(/^# TYPE nv_inference_count unknown$/m);
    expect((await scrape()).headers.get("content-type")).toBe(
      "text/plain; version=0.0.4; charset=utf-8",
    );
    const last = await scrape({ Accept: "text/plain, application/openmetrics-text;q=0.1" });
    expect(last.headers.get("content-type")).toMatch(/^text\/plain/);
  });

  test.skipIf(!hasPrometheus)("says nothing that promtool would say better", () => {
    expect(complaints(text)).toEqual([]);
  });
});

test("metrics need their token, where there is one, or a key with their scope", async () => {
  const token = "a-token-of-the-metrics";
  const byToken = open({ METRICS_TOKEN: token });
  expect((await byToken.scrape(bearer(token))).status).toBe(200);
  expect((await byToken.scrape(bearer(`${token}!`))).status).toBe(401);
  expect((await byToken.scrape()).status).toBe(401);
  const API_KEYS = JSON.stringify([
    { name: "page", sha256: await sha256("page") },
    { name: "prometheus", sha256: await sha256("prometheus"), scopes: ["metrics"] },
  ]);
  for (const keyed of [open({ API_KEYS }), open({ API_KEYS, METRICS_TOKEN: token })]) {
    expect((await keyed.scrape()).status).toBe(401);
    expect((await keyed.scrape(bearer("page"))).status).toBe(403);
    expect((await keyed.scrape(bearer("prometheus"))).status).toBe(200);
    expect((await keyed.ask("/v1/models/iris/predict", IRIS, bearer("prometheus"))).status).toBe(
      403,
    );
    expect((await keyed.ask("/v1/models/iris/predict", IRIS, bearer(token))).status).toBe(401);
  }
  const closed = open({ API_KEYS: "", METRICS_TOKEN: token, HOST: "0.0.0.0" });
  expect((await closed.scrape(bearer(token))).status).toBe(200);
  expect((await closed.scrape()).status).toBe(503);
});

test("a key for one model is shown the metrics of no other", async () => {
  const scopes = ["predict", "metrics"];
  const API_KEYS = JSON.stringify([
    { name: "all", sha256: await sha256("all"), scopes },
    { name: "one", sha256: await sha256("one"), scopes, models: ["iris"] },
  ]);
  const { ask, scrape } = open({ API_KEYS });
  for (const model of ["iris", "diabetes"])
    await ask(`/v1/models/${model}/predict`, IRIS, bearer("all"));
  const [all, one] = await Promise.all(
    ["all", "one"].map(async (key) => (await scrape(bearer(key))).text()),
  );
  expect(all).toContain('model="diabetes"');
  expect(one).toContain('model="iris"');
  expect(one).not.toContain("diabetes");
});

test("the metrics' token is checked as a key is: before a time-out, and wrong ones cost the address's rate", async () => {
  const token = "a-token-of-the-metrics";
  const { app } = openService({ METRICS_TOKEN: token, RATE_LIMIT: "2/60s" });
  const scrape = async (own: string, headers = {}) =>
    (await app.request("/metrics", { headers: { ...bearer(own), ...headers } })).status;
  const odd = { "X-Request-Timeout-Ms": "soon" };
  expect(await scrape(token, odd)).toBe(400);
  expect(await scrape("wrong", odd)).toBe(401);
  expect([await scrape("wrong"), await scrape("wrong")]).toEqual([401, 429]);
  expect(await scrape(token)).toBe(200);
});

const call: CallRecord = {
  id: "1",
  kind: "predict",
  at: 0,
  caller: "someone",
  model: "iris",
  version: "1",
  digest: undefined,
  reason: "stable",
  rows: 2,
  tokens: 7,
  pixels: undefined,
  bytes: undefined,
  cost: 2,
  executed: true,
  durations: { preprocess: 0.001, run: 0.5, queue: 0.25 },
  cache: undefined,
  quota: undefined,
  error: undefined,
  inputs: undefined,
};

const request: RequestRecord = {
  id: "1",
  trace: undefined,
  method: "POST",
  path: "/v1/models/iris/predict",
  route: "/v1/models/:model/predict",
  status: 200,
  caller: "someone",
  error: undefined,
  milliseconds: 2,
  cold: false,
  call,
};

test("instances that count together have the sum of what each counted, in any order", async () => {
  const counters = createMemoryCounters(() => undefined);
  const [one, other, alone] = [counting(counters), counting(counters), counting(undefined)];
  for (let count = 0; count < 300; count++) {
    const record = {
      ...call,
      model: `model-${count % 3}`,
      version: `${count % 7}`,
      error: count % 5 ? undefined : { code: "out_of_memory" as const, message: "" },
      durations: { run: count / 10 },
    };
    for (const counts of [count % 2 ? one : other, alone]) {
      counts.call(record);
      counts.request({ ...request, status: count % 5 ? 200 : 507, milliseconds: count });
      if (count < 9) counts.load?.({ ...record, milliseconds: count, error: undefined });
    }
  }
  const together = sorted(writeMetrics(await other.series(), "prometheus"));
  expect(together).toEqual(sorted(writeMetrics(alone.own(), "prometheus")));
  expect(together.length).toBeGreaterThan(500);
});

test("methods, codes and versions that never end stay bounded", () => {
  const counts = counting(undefined);
  for (let count = 0; count < 5000; count++) {
    counts.request({ ...request, method: `M${count}`, status: count });
    counts.call({ ...call, version: `${count}` });
  }
  expect(counts.own().length).toBeLessThan(1000 * Object.keys(SUMMED).length);
  expect(writeMetrics(counts.own(), "prometheus")).not.toMatch(/M4999/);
});

test("labels are written so that no text ends them", () => {
  const metric = { name: "x", kind: "gauge", help: 'a "b" \\ \n c', labels: ["l"] } as const;
  const samples = [{ metric, labels: ['"} 1\n\\'], values: [1] }];
  expect(writeMetrics(samples, "openmetrics")).toBe(
    '# HELP x a \\"b\\" \\\\ \\n c\n# TYPE x gauge\nx{l="\\"} 1\\n\\\\"} 1\n# EOF\n',
  );
});

function counting(counters: Counters | undefined) {
  const gathered = gatherRecords();
  const counts = createMetricCounts(counters, gathered);
  return {
    ...counts,
    call(record: CallRecord) {
      gathered.calls.add(record);
      counts.call?.(record);
    },
    request(record: RequestRecord) {
      gathered.requests.add(record);
      counts.request?.(record);
    },
  };
}

function labels(status: number): string {
  return `{http_request_method="POST",http_route="/v1/models/:model/predict",http_response_status_code="${status}"`;
}

function bearer(key: string): Record<string, string> {
  return { Authorization: `Bearer ${key}` };
}

async function sha256(key: string): Promise<string> {
  return digest(new TextEncoder().encode(key));
}

function sorted(text: string): string[] {
  return text.split("\n").toSorted();
}
