import { describe, expect, onTestFinished, test } from "vitest";
import { startCollector } from "../harness/collector.ts";
import { targets } from "../harness/targets.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const DELTA = 1;
const REQUESTS = 4;

describe.each(["worker", "lambda"] as const)("OTLP on a %s", (platform) => {
  test("metrics and the trace of a client reach the collector", async () => {
    const collector = await startCollector();
    onTestFinished(collector.stop);
    const target = await targets[platform]({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: "x-team=ours",
        OTEL_METRIC_EXPORT_INTERVAL: "1000",
      },
    });
    onTestFinished(target.stop);
    const { received } = collector;
    let asked = 0;
    const ask = async () => {
      asked += 1;
      const answer = await target.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", traceparent: `00-${TRACE}-${PARENT}-01` },
        body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
      });
      expect(answer.status).toBe(200);
      return answer;
    };
    const answer = await ask();
    for (let count = 1; count < REQUESTS; count++) await ask();
    const counted = () =>
      received
        .filter(({ path }) => path === "/v1/metrics")
        .flatMap(({ body }) => body.resourceMetrics[0].scopeMetrics[0].metrics)
        .filter(({ name }) => name === "nv_inference_request_success")
        .map(({ sum }) => {
          expect(sum.aggregationTemporality).toBe(DELTA);
          return Number(sum.dataPoints[0].asDouble);
        })
        .reduce((all, one) => all + one, 0);
    // What the last second added is sent with a later request.
    await expect
      .poll(
        async () => {
          const before = asked;
          await ask();
          return counted() >= REQUESTS && counted() <= before + 1;
        },
        { interval: 1100 },
      )
      .toBe(true);
    for (const { headers } of received) expect(headers["x-team"]).toBe("ours");
    const spans = received
      .filter(({ path }) => path === "/v1/traces")
      .flatMap(({ body }) => body.resourceSpans[0].scopeSpans[0].spans) as Record<string, string>[];
    const own = answer.headers.get("traceparent")?.split("-")[2];
    expect(spans.find(({ spanId }) => spanId === own)).toMatchObject({
      traceId: TRACE,
      parentSpanId: PARENT,
      name: "POST /v1/models/:model/predict",
    });
    const first = received.find(({ path }) => path === "/v1/traces");
    expect(JSON.stringify(first?.body.resourceSpans[0].resource)).toContain(
      platform === "worker" ? "cloudflare" : "lambda",
    );
  });
});

test("phases are spans of workerd's own tracing", async () => {
  const target = await targets.worker({ traced: true });
  onTestFinished(target.stop);
  const ask = () =>
    target.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
    });
  const answers = await Promise.all([ask(), ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const seen = (name: string) => target.spans?.().filter((one) => one === name).length ?? 0;
  for (const phase of ["resolve", "preprocess", "load", "run", "postprocess"])
    await expect.poll(() => [phase, seen(phase)]).toEqual([phase, 3]);
});
