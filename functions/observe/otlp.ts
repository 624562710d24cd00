import type { Platform } from "../platform/types.ts";
import { VERSION } from "../version.ts";
import type { Metrics } from "./metrics-service.ts";
import type { Observer } from "./observer.ts";
import { createMetricPoints } from "./otlp-metrics.ts";
import { spansOf, type Span } from "./otlp-spans.ts";
import { randomId } from "./trace.ts";

/** The most spans that wait to be sent. Further ones are lost. */
const MOST_SPANS = 2048;
/** How often an instance sends that only works while it answers requests. */
const SPANS_MS = 1000;
const TIMEOUT_MS = 10_000;
/** At most once in this time the log says that nobody takes what is sent. */
const REPORT_MS = 60_000;

/**
 * Sends metrics and traces over OTLP/HTTP in JSON, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set. A server sends its sums
 * since its start. Isolates and Lambda's environments come and go: they send what was added since the last time, with a
 * request and at most once a second. A request without `traceparent` begins a trace, as often as
 * `OTEL_TRACES_SAMPLER_ARG` says.
 */
export function createOtlp(platform: Platform, metrics: Metrics): Observer | undefined {
  const { endpoint, headers, serviceName, traceRatio, intervalMs } = platform.config.otlp;
  if (endpoint === undefined) return undefined;
  const every = platform.every;
  const points = createMetricPoints({ isCumulative: every !== undefined });
  const base = endpoint.replace(/\/$/, "");
  let spans: Span[] = [];
  let sentAt = -Infinity;
  let metricsAt = -Infinity;
  let reportAt = -Infinity;
  let instance: string | undefined;

  function resource() {
    instance ??= randomId(8);
    return {
      attributes: Object.entries({
        "service.name": serviceName,
        "service.version": VERSION,
        "service.instance.id": instance,
        "cloud.platform": platform.name,
      }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    };
  }
  const scope = { name: "nearcast", version: VERSION };

  async function post(path: string, body: object): Promise<void> {
    try {
      const answer = await fetch(`${base}/v1/${path}`, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    } catch (error) {
      const now = Date.now();
      if (now < reportAt) return;
      reportAt = now + REPORT_MS;
      platform.log({ level: "warn", message: `OTLP: ${path} not taken`, error: String(error) });
    }
  }

  async function sendSpans(): Promise<void> {
    if (spans.length === 0) return;
    const sent = spans;
    spans = [];
    const scopeSpans = [{ scope, spans: sent }];
    await post("traces", { resourceSpans: [{ resource: resource(), scopeSpans }] });
  }

  async function sendMetrics(): Promise<void> {
    metricsAt = Date.now();
    const made = points.make(metrics.instanceSamples());
    if (made.length === 0) return;
    const scopeMetrics = [{ scope, metrics: made }];
    await post("metrics", { resourceMetrics: [{ resource: resource(), scopeMetrics }] });
  }

  async function sendWithRequest(): Promise<void> {
    // What the rest of this turn records goes too.
    await Promise.resolve();
    await Promise.all([
      sendSpans(),
      ...(Date.now() - metricsAt >= intervalMs ? [sendMetrics()] : []),
    ]);
  }

  every?.(SPANS_MS, sendSpans);
  every?.(intervalMs, sendMetrics);

  return {
    request(record) {
      const isTraced = record.trace ? record.trace.isSampled : Math.random() < traceRatio;
      if (isTraced && spans.length < MOST_SPANS) spans.push(...spansOf(record, Date.now()));
      if (every || Date.now() - sentAt < SPANS_MS) return;
      sentAt = Date.now();
      platform.waitUntil(sendWithRequest());
    },
  };
}
