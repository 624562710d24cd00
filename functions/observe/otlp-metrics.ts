import { byMetric, type Sample } from "./metrics-text.ts";

const DELTA = 1;
const CUMULATIVE = 2;

/** OpenTelemetry's own names of what has one. */
const NAMES: Readonly<Record<string, string>> = {
  http_server_request_duration_seconds: "http.server.request.duration",
  http_request_method: "http.request.method",
  http_route: "http.route",
  http_response_status_code: "http.response.status_code",
};

/**
 * Makes the metrics of OTLP's JSON encoding. `isCumulative`: sums since the start of this process. Otherwise what was
 * added since the last time.
 */
export function createMetricPoints({ isCumulative }: { isCumulative: boolean }) {
  const aggregationTemporality = isCumulative ? CUMULATIVE : DELTA;
  const before = new WeakMap<Sample, readonly number[]>();
  // While workerd starts a Worker, its clock says 0.
  let start = Date.now();

  function changed(sample: Sample): readonly number[] {
    const last = before.get(sample);
    before.set(sample, [...sample.values]);
    return last ? sample.values.map((value, place) => value - (last[place] ?? 0)) : sample.values;
  }

  function pointOf(sample: Sample, times: object) {
    const { metric, labels } = sample;
    const { buckets, kind, scale = 1 } = metric;
    const values = isCumulative || kind === "gauge" ? sample.values : changed(sample);
    if (!isCumulative && values.every((value) => value === 0)) return undefined;
    const point = {
      ...times,
      attributes: metric.labels.map((label, index) => ({
        key: NAMES[label] ?? label,
        value: { stringValue: labels[index] ?? "" },
      })),
    };
    if (!buckets) return { ...point, asDouble: (values[0] ?? 0) / scale };
    const counts = values.slice(0, buckets.length + 1);
    return {
      ...point,
      count: String(counts.reduce((sum, count) => sum + count, 0)),
      sum: (values[buckets.length + 1] ?? 0) / scale,
      bucketCounts: counts.map(String),
      explicitBounds: buckets,
    };
  }

  return {
    make(samples: readonly Sample[]): object[] {
      const now = Date.now();
      const times = { startTimeUnixNano: `${start || now}000000`, timeUnixNano: `${now}000000` };
      if (!isCumulative) start = now;
      return [...byMetric(samples)].flatMap(([metric, own]): object[] => {
        const { name, help, kind, buckets } = metric;
        const dataPoints = own.flatMap((sample) => pointOf(sample, times) ?? []);
        if (dataPoints.length === 0) return [];
        const named = {
          name: NAMES[name] ?? name.replace(/_total$/, ""),
          description: help,
          unit: name.includes("_seconds") ? "s" : name.includes("_bytes") ? "By" : "1",
        };
        if (kind === "gauge") return [{ ...named, gauge: { dataPoints } }];
        if (buckets) return [{ ...named, histogram: { dataPoints, aggregationTemporality } }];
        return [{ ...named, sum: { dataPoints, aggregationTemporality, isMonotonic: true } }];
      });
    },
  };
}
