import {
  CALL_METRICS,
  JOB_METRICS,
  LOAD_METRICS,
  REQUEST_METRICS,
  SERVICE_METRICS,
  WEBHOOK_METRICS,
} from "../observe/metrics.ts";
import type { Metric } from "../observe/metrics.ts";
import type { Observer } from "../observe/observer.ts";
import type { Platform } from "./types.ts";

/**
 * The metrics that CloudWatch gets, from the table of all. Each is one of its metrics for each version, which cost money
 * by the month: the rest is in the access log.
 */
const OF_CALL = ["ok", "fail", "rows", "time", "tokens"].map(rowOf(CALL_METRICS));
const OF_LOAD = ["loads", "loadtime"].map(rowOf(LOAD_METRICS));
const OF_JOB = ["jobs"].map(rowOf(JOB_METRICS));
const OF_WEBHOOK = ["webhooks"].map(rowOf(WEBHOOK_METRICS));
const OF_SERVICE = [
  ...["http", "httptime"].map(rowOf(REQUEST_METRICS)),
  ...["refused", "cold"].map(rowOf(SERVICE_METRICS)),
];

const NAMESPACE = "Nearcast";
const BY_MODEL = ["model", "version"];
const BY_STATUS = [...BY_MODEL, "status"];
const BY_OUTCOME = [...BY_MODEL, "outcome"];

/**
 * Writes metrics into the log in CloudWatch's Embedded Metric Format: one line for each request, for each load, for each
 * job that is made or has ended, and for each try of a webhook. The only dimensions are model, version, a job's status and
 * a try's outcome, and no line has an id.
 */
export function createEmbeddedMetrics(log: Platform["log"]): Observer {
  return {
    request(record) {
      const { call } = record;
      const service = valuesOf(OF_SERVICE, record);
      const known = call?.version === undefined ? undefined : call;
      const own = known && valuesOf(OF_CALL, known);
      const directives = [directive([], service), ...(own ? [directive(BY_MODEL, own)] : [])];
      const labels = known && { model: known.model, version: known.version };
      log({ ...embedded(directives), ...labels, ...service, ...own });
    },
    load(record) {
      const { model, version } = record;
      const own = valuesOf(OF_LOAD, record);
      log({ ...embedded([directive(BY_MODEL, own)]), model, version, ...own });
    },
    job(record) {
      const { model, version, status } = record;
      const own = valuesOf(OF_JOB, record);
      log({ ...embedded([directive(BY_STATUS, own)]), model, version, status, ...own });
    },
    webhook(record) {
      const { model, version, outcome } = record;
      const own = valuesOf(OF_WEBHOOK, record);
      log({ ...embedded([directive(BY_OUTCOME, own)]), model, version, outcome, ...own });
    },
  };
}

function rowOf<Counted>(table: Readonly<Record<string, Metric<Counted>>>) {
  return (id: string): Metric<Counted> => table[id] as Metric<Counted>;
}

function valuesOf<Counted>(
  metrics: readonly Metric<Counted>[],
  record: Counted,
): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { name, of, scale = 1 } of metrics) {
    const value = of?.(record);
    if (value !== undefined) values[name] = value / scale;
  }
  return values;
}

function directive(dimensions: readonly string[], values: Record<string, number>) {
  return {
    Namespace: NAMESPACE,
    Dimensions: [dimensions],
    Metrics: Object.keys(values).map((Name) => ({
      Name,
      Unit: Name.endsWith("_seconds") ? "Seconds" : "Count",
    })),
  };
}

function embedded(CloudWatchMetrics: readonly object[]) {
  return { level: "info", _aws: { Timestamp: Date.now(), CloudWatchMetrics } };
}
