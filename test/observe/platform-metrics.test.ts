import { join } from "node:path";
import { expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { Observer } from "../../functions/observe/observer.ts";
import { createAnalyticsPoints } from "../../functions/platform/analytics-points.ts";
import { createEmbeddedMetrics } from "../../functions/platform/embedded-metrics.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";

const models = join(import.meta.dirname, "../../models");

function open(observer: Observer) {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const app = createApp(createService({ ...platform, observer }));
  return (inputs: unknown, model = "iris") =>
    app.request(`/v1/models/${model}/predict`, {
      method: "POST",
      body: JSON.stringify({ inputs }),
      headers: { "Content-Type": "application/json", "X-Request-Id": "a-request-id" },
    });
}

interface Line extends Record<string, unknown> {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: {
      Namespace: string;
      Dimensions: string[][];
      Metrics: { Name: string; Unit: string }[];
    }[];
  };
}

test("each request is a line of CloudWatch's metrics, within its limits and without an id", async () => {
  const lines: Line[] = [];
  const ask = open(createEmbeddedMetrics((line) => void lines.push(line as Line)));
  for (let count = 0; count < 3; count++) await ask([[5.1, 3.5, 1.4, 0.2]]);
  await ask([[1]]);
  await ask([], "made-up");
  expect(lines).toHaveLength(6);
  const sum = (name: string) => lines.reduce((all, line) => all + Number(line[name] ?? 0), 0);
  expect(sum("nearcast_http_requests_total")).toBe(5);
  expect(sum("nv_inference_request_success")).toBe(3);
  expect(sum("nv_inference_request_failure")).toBe(1);
  expect(sum("nearcast_refusals_total")).toBe(2);
  expect(sum("nearcast_cold_starts_total")).toBe(1);
  expect(sum("nearcast_model_loads_total")).toBe(1);
  for (const line of lines) {
    expect(JSON.stringify(line)).not.toMatch(/a-request-id|made-up/);
    for (const { Namespace, Dimensions, Metrics } of line["_aws"].CloudWatchMetrics) {
      expect(Namespace).toBe("Nearcast");
      expect(Metrics.length).toBeLessThanOrEqual(100);
      for (const name of Dimensions.flat()) expect(typeof line[name]).toBe("string");
      for (const { Name } of Metrics) expect(typeof line[Name]).toBe("number");
    }
  }
});

test("each job is a line of CloudWatch's metrics by its status", () => {
  const lines: Line[] = [];
  const { job } = createEmbeddedMetrics((line) => void lines.push(line as Line));
  job?.({ model: "iris", version: "1", status: "queued" });
  job?.({ model: "iris", version: "1", status: "failed" });
  expect(lines).toMatchObject([
    { model: "iris", version: "1", status: "queued", nearcast_jobs_total: 1 },
    { model: "iris", version: "1", status: "failed", nearcast_jobs_total: 1 },
  ]);
  expect(lines[0]?.["_aws"].CloudWatchMetrics).toEqual([
    {
      Namespace: "Nearcast",
      Dimensions: [["model", "version", "status"]],
      Metrics: [{ Name: "nearcast_jobs_total", Unit: "Count" }],
    },
  ]);
});

test("each try of a webhook is a line of CloudWatch's metrics by its outcome", () => {
  const lines: Line[] = [];
  const { webhook } = createEmbeddedMetrics((line) => void lines.push(line as Line));
  webhook?.({ model: "iris", version: "1", outcome: "given_up" });
  expect(lines).toMatchObject([
    { model: "iris", version: "1", outcome: "given_up", nearcast_webhook_tries_total: 1 },
  ]);
  expect(lines[0]?.["_aws"].CloudWatchMetrics).toMatchObject([
    { Dimensions: [["model", "version", "outcome"]] },
  ]);
});

test("each request is one data point of Analytics Engine", async () => {
  const points: { indexes: string[]; blobs: string[]; doubles: number[] }[] = [];
  const dataset = { writeDataPoint: (point: never) => void points.push(point) };
  const ask = open(createAnalyticsPoints(dataset));
  await ask([[5.1, 3.5, 1.4, 0.2]]);
  await ask([], "made-up");
  const route = "/v1/models/:model/predict";
  expect(points).toEqual([
    {
      indexes: ["iris"],
      blobs: ["POST", route, "200", "", "iris", "1", "stable"],
      doubles: [1, 1, 0, 1, 1],
    },
    {
      indexes: [""],
      blobs: ["POST", route, "404", "unknown_model", "", "", ""],
      doubles: [1, 0, 0, 0, 0],
    },
  ]);
});
