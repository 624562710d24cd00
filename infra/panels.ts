// What the dashboard shows and the alerts watch, with the names of the metrics from their table.
import {
  CALL_METRICS,
  CAPTURE_METRICS,
  COPY_METRICS,
  GAUGES,
  JOB_METRICS,
  LOAD_METRICS,
  REQUEST_METRICS,
  SERVICE_METRICS,
  WEBHOOK_METRICS,
} from "../functions/observe/metrics.ts";

/** A graph of the dashboard. */
export interface Panel {
  title: string;
  /** What one has to know to read it. */
  about?: string;
  unit: string;
  queries: readonly { query: string; legend: string }[];
}

/** A rule of Prometheus. */
export interface Alert {
  name: string;
  query: string;
  for: string;
  severity: "page" | "ticket";
  summary: string;
}

const ok = nameOf(CALL_METRICS["ok"]);
const failed = nameOf(CALL_METRICS["fail"]);
const time = nameOf(CALL_METRICS["time"]);
const errors = nameOf(CALL_METRICS["error"]);
const assigned = nameOf(CALL_METRICS["why"]);
const hits = nameOf(CALL_METRICS["hits"]);
const misses = nameOf(CALL_METRICS["misses"]);
const cost = nameOf(CALL_METRICS["cost"]);
const requests = nameOf(REQUEST_METRICS["http"]);
const httpTime = nameOf(REQUEST_METRICS["httptime"]);
const refusals = nameOf(SERVICE_METRICS["refused"]);
const cold = nameOf(SERVICE_METRICS["cold"]);
const loads = nameOf(LOAD_METRICS["loads"]);
const loadTime = nameOf(LOAD_METRICS["loadtime"]);
const copies = nameOf(COPY_METRICS["copies"]);
const compared = nameOf(COPY_METRICS["compared"]);
const disagreed = nameOf(COPY_METRICS["disagreed"]);
const captured = nameOf(CAPTURE_METRICS["captured"]);
const jobs = nameOf(JOB_METRICS["jobs"]);
const webhooks = nameOf(WEBHOOK_METRICS["webhooks"]);

/** The service that is chosen on the dashboard, the model, and the time over which rates are taken. */
const JOB = 'job=~"$job"';
const MODEL = `${JOB},model=~"$model"`;
const RATE = "$__rate_interval";
const VERSION = "{{model}} {{version}}";

const PHASES = {
  queue: "queue and load",
  input: "preprocess",
  infer: "run",
  output: "postprocess",
};

const ACCURACY: readonly Panel[] = [
  {
    title: "Accuracy",
    about: "The share of right labels, by the outcomes of 7 days.",
    unit: "percentunit",
    queries: [byRole(GAUGES.accuracy)],
  },
  {
    title: "F1",
    about: "The mean over the labels.",
    unit: "percentunit",
    queries: [byRole(GAUGES.f1)],
  },
  {
    title: "Estimated accuracy",
    about:
      "An estimate before outcomes come: the mean of calibrated scores. It is only as good as the calibration.",
    unit: "percentunit",
    queries: [byRole(GAUGES.estimate)],
  },
  {
    title: "Errors of numbers",
    unit: "short",
    queries: [byRole(GAUGES.mae, "mean absolute"), byRole(GAUGES.rmse, "root mean squared")],
  },
  {
    title: "Outcomes",
    about: "Of 7 days. Fewer than 5 are not shown.",
    unit: "short",
    queries: [byRole(GAUGES.outcomes)],
  },
];

export const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  Service: [
    {
      title: "Requests",
      unit: "reqps",
      queries: [
        {
          query: `sum by (http_response_status_code) (rate(${requests}{${JOB}}[${RATE}]))`,
          legend: "{{http_response_status_code}}",
        },
      ],
    },
    {
      title: "Errors of the service",
      about: "The share of requests that were answered with 5xx.",
      unit: "percentunit",
      queries: [{ query: errorShare(JOB, RATE), legend: "5xx" }],
    },
    {
      title: "Latency",
      unit: "s",
      queries: [0.5, 0.95, 0.99].map((quantile) => ({
        query: `histogram_quantile(${quantile}, sum by (le) (rate(${httpTime}_bucket{${JOB}}[${RATE}])))`,
        legend: `p${quantile * 100}`,
      })),
    },
    {
      title: "Refusals",
      about: "overloaded and rate_limited are load that was shed.",
      unit: "reqps",
      queries: [
        { query: `sum by (code) (rate(${refusals}{${JOB}}[${RATE}]))`, legend: "{{code}}" },
      ],
    },
    {
      title: "Cold starts",
      unit: "short",
      queries: [{ query: `sum(increase(${cold}{${JOB}}[1h]))`, legend: "in an hour" }],
    },
    {
      title: "Waiting runs",
      unit: "short",
      queries: [{ query: `sum(${GAUGES.waiting.name}{${JOB}})`, legend: "computed or waiting" }],
    },
    {
      title: "Cost an hour",
      about: "Processor time times the price of a processor's hour, which the dashboard asks for.",
      unit: "currencyUSD",
      queries: [
        {
          query: `sum(rate(${GAUGES.cpu.name}{${JOB}}[${RATE}])) * $cpu_hour_price`,
          legend: "processor",
        },
      ],
    },
    {
      title: "Memory",
      unit: "bytes",
      queries: [{ query: `${GAUGES.memory.name}{${JOB}}`, legend: "{{instance}}" }],
    },
  ],
  "Versions side by side": [
    {
      title: "Predictions",
      unit: "reqps",
      queries: [
        {
          query: `sum by (model, version) (rate(${ok}{${MODEL}}[${RATE}]))`,
          legend: "{{model}} {{version}}",
        },
      ],
    },
    {
      title: "Failures",
      about: "The share of calls that failed, by version.",
      unit: "percentunit",
      queries: [
        {
          query: `sum by (model, version) (rate(${failed}{${MODEL}}[${RATE}])) / (sum by (model, version) (rate(${failed}{${MODEL}}[${RATE}])) + sum by (model, version) (rate(${ok}{${MODEL}}[${RATE}])))`,
          legend: "{{model}} {{version}}",
        },
      ],
    },
    {
      title: "Errors by code",
      unit: "reqps",
      queries: [
        {
          query: `sum by (model, version, code) (rate(${errors}{${MODEL}}[${RATE}]))`,
          legend: "{{model}} {{version}} {{code}}",
        },
      ],
    },
    {
      title: "Latency of the model, p95",
      unit: "s",
      queries: [
        {
          query: `histogram_quantile(0.95, sum by (model, version, le) (rate(${time}_bucket{${MODEL}}[${RATE}])))`,
          legend: "{{model}} {{version}}",
        },
      ],
    },
    {
      title: "Assignments",
      about: "Who gets the candidate, and who the stable version.",
      unit: "reqps",
      queries: [
        {
          query: `sum by (model, version, assignment) (rate(${assigned}{${MODEL}}[${RATE}]))`,
          legend: "{{model}} {{version}} {{assignment}}",
        },
      ],
    },
    {
      title: "Where the time goes",
      about: "Microseconds of a call, by phase.",
      unit: "µs",
      queries: Object.entries(PHASES).map(([id, legend]) => ({
        query: `sum(rate(${nameOf(CALL_METRICS[id])}{${MODEL}}[${RATE}])) / sum(rate(${ok}{${MODEL}}[${RATE}]))`,
        legend,
      })),
    },
    {
      title: "Cache",
      about: "The share of calls that were answered from the cache, where one is used.",
      unit: "percentunit",
      queries: [
        {
          query: `sum by (model) (rate(${hits}{${MODEL}}[${RATE}])) / (sum by (model) (rate(${hits}{${MODEL}}[${RATE}])) + sum by (model) (rate(${misses}{${MODEL}}[${RATE}])))`,
          legend: "{{model}}",
        },
      ],
    },
    {
      title: "Units of cost",
      unit: "short",
      queries: [
        {
          query: `sum by (model, version) (rate(${cost}{${MODEL}}[${RATE}]))`,
          legend: "{{model}} {{version}}",
        },
      ],
    },
    {
      title: "Loads",
      unit: "short",
      queries: [
        {
          query: `sum by (model, outcome) (increase(${loads}{${MODEL}}[1h]))`,
          legend: "{{model}} {{outcome}}",
        },
      ],
    },
    {
      title: "Time to load, p95",
      unit: "s",
      queries: [
        {
          query: `histogram_quantile(0.95, sum by (model, le) (increase(${loadTime}_bucket{${MODEL}}[1h])))`,
          legend: "{{model}}",
        },
      ],
    },
  ],
  "Copies for versions on trial": [
    {
      title: "Copies",
      about:
        "Compared with stable's answers, failed, or dropped: busy, size, memory, store, platform, state.",
      unit: "reqps",
      queries: [
        {
          query: `sum by (model, version, outcome) (rate(${copies}{${MODEL}}[${RATE}]))`,
          legend: "{{model}} {{version}} {{outcome}}",
        },
      ],
    },
    {
      title: "Copies that were dropped",
      about: "The share of copies that were not made: callers come first.",
      unit: "percentunit",
      queries: [{ query: droppedShare("model, version", MODEL, RATE), legend: VERSION }],
    },
    {
      title: "Answered otherwise",
      about: "The share of copied inputs that the version answered otherwise than stable.",
      unit: "percentunit",
      queries: [{ query: disagreedShare("model, version", MODEL, RATE), legend: VERSION }],
    },
  ],
  "Captured inputs": [
    {
      title: "Captured lines",
      about:
        "Inputs and outcomes that were written to the store, or dropped because it did not take them in time.",
      unit: "short",
      queries: [
        {
          query: `sum by (model, version, outcome) (increase(${captured}{${MODEL}}[1h]))`,
          legend: "{{model}} {{version}} {{outcome}}",
        },
      ],
    },
  ],
  Jobs: [
    {
      title: "Jobs",
      about: "Those that were made, and what jobs ended as.",
      unit: "short",
      queries: [
        {
          query: `sum by (status) (increase(${jobs}{${MODEL}}[1h]))`,
          legend: "{{status}}",
        },
      ],
    },
    {
      title: "Webhooks",
      about: "Tries to tell of the ends of jobs.",
      unit: "short",
      queries: [
        {
          query: `sum by (outcome) (increase(${webhooks}{${MODEL}}[1h]))`,
          legend: "{{outcome}}",
        },
      ],
    },
  ],
  Drift: [
    {
      title: "Drift",
      about: "The population stability index of each feature over 24 hours.",
      unit: "short",
      queries: [
        {
          query: `max by (model, version, feature) (${GAUGES.drift.name}{${MODEL}})`,
          legend: "{{model}} {{version}} {{feature}}",
        },
      ],
    },
    {
      title: "Shifted features",
      unit: "short",
      queries: [
        {
          query: `sum by (model, version) (max by (model, version, feature) (${GAUGES.drifted.name}{${MODEL}}))`,
          legend: "{{model}} {{version}}",
        },
      ],
    },
  ],
  "Accuracy in production": ACCURACY,
};

export const ALERTS: readonly Alert[] = [
  {
    name: "NearcastErrors",
    query: `${errorShare("", "5m")} > 0.02`,
    for: "5m",
    severity: "page",
    summary: "{{ $value | humanizePercentage }} of requests are answered with 5xx.",
  },
  {
    name: "NearcastSlow",
    query: `histogram_quantile(0.95, sum by (job, le) (rate(${httpTime}_bucket[5m]))) > 1`,
    for: "10m",
    severity: "ticket",
    summary: "One request in twenty takes more than {{ $value | humanizeDuration }}.",
  },
  {
    name: "NearcastSheds",
    query: `sum by (job) (rate(${refusals}{code="overloaded"}[5m])) > 0`,
    for: "5m",
    severity: "page",
    summary: "Requests are refused because there are too many at once.",
  },
  {
    name: "NearcastCandidateFails",
    query: `sum by (job, model, version) (rate(${errors}{code=~"internal|runtime_failed|out_of_memory|model_corrupt"}[10m])) / sum by (job, model, version) (rate(${assigned}[10m])) > 0.05`,
    for: "5m",
    severity: "page",
    summary:
      "{{ $labels.model }} {{ $labels.version }} fails {{ $value | humanizePercentage }} of its calls.",
  },
  {
    name: "NearcastLoadFails",
    query: `sum by (job, model, version) (increase(${loads}{outcome="failed"}[15m])) > 0`,
    for: "0m",
    severity: "ticket",
    summary: "{{ $labels.model }} {{ $labels.version }} cannot be loaded.",
  },
  {
    name: "NearcastCopiesDisagree",
    query: `${disagreedShare("job, model, version", "", "1h")} > 0.05 and sum by (job, model, version) (increase(${compared}[1h])) >= 100`,
    for: "5m",
    severity: "ticket",
    summary:
      "{{ $labels.model }} {{ $labels.version }} answers {{ $value | humanizePercentage }} of copied inputs otherwise than stable.",
  },
  {
    name: "NearcastCopiesDropped",
    query: `${droppedShare("job, model, version", "", "1h")} > 0.95`,
    for: "1h",
    severity: "ticket",
    summary:
      "{{ $labels.model }} {{ $labels.version }} gets hardly any copies: {{ $value | humanizePercentage }} are dropped.",
  },
  {
    name: "NearcastCaptureDrops",
    query: `sum by (job, model, version) (increase(${captured}{outcome="dropped"}[15m])) > 0`,
    for: "0m",
    severity: "ticket",
    summary:
      "{{ $value }} captured inputs of {{ $labels.model }} {{ $labels.version }} were dropped: the store does not take them in time.",
  },
  {
    name: "NearcastWebhooksGivenUp",
    query: `sum by (job, model) (increase(${webhooks}{outcome="given_up"}[15m])) > 0`,
    for: "0m",
    severity: "ticket",
    summary: "Nobody took the news of jobs of {{ $labels.model }}.",
  },
  {
    name: "NearcastDrift",
    query: `max by (job, model, version, feature) (${GAUGES.drifted.name}) > 0`,
    for: "1h",
    severity: "ticket",
    summary:
      "{{ $labels.feature }} of {{ $labels.model }} {{ $labels.version }} has shifted from its training data.",
  },
  {
    name: "NearcastCandidateLessAccurate",
    query: `max by (job, model) (${GAUGES.accuracy.name}{role="stable"}) - on (job, model) group_right () max by (job, model, version) (${GAUGES.accuracy.name}{role="candidate"}) > 0.05 and ${enoughOutcomes()}`,
    for: "1h",
    severity: "ticket",
    summary:
      "{{ $labels.model }} {{ $labels.version }} is right less often than stable, by {{ $value | humanizePercentage }}.",
  },
  {
    name: "NearcastAccuracyFalls",
    query: `max by (job, model, version) (${GAUGES.accuracy.name} offset 7d) - max by (job, model, version) (${GAUGES.accuracy.name}) > 0.05 and ${enoughOutcomes()}`,
    for: "1h",
    severity: "ticket",
    summary:
      "{{ $labels.model }} {{ $labels.version }} is right less often than a week ago, by {{ $value | humanizePercentage }}.",
  },
];

/** Fewer outcomes make differences of a few per cent by chance. */
function enoughOutcomes(): string {
  return `max by (job, model, version) (${GAUGES.outcomes.name}) >= 500`;
}

/** A measure of each version, and whether it is stable or a candidate. */
function byRole({ name }: { name: string }, what = ""): Panel["queries"][number] {
  return {
    query: `max by (model, version, role) (${name}{${MODEL}})`,
    legend: `{{model}} {{version}} {{role}} ${what}`.trim(),
  };
}

/** The share of requests that were answered with 5xx; 0 where there was none. */
function errorShare(labels: string, window: string): string {
  const failing = [...(labels ? [labels] : []), 'http_response_status_code=~"5.."'].join(",");
  const all = `sum by (job) (rate(${requests}${labels && `{${labels}}`}[${window}]))`;
  return `(sum by (job) (rate(${requests}{${failing}}[${window}])) or ${all} * 0) / ${all}`;
}

/** The share of copied inputs that a version answered otherwise than stable; 0 where it never did. */
function disagreedShare(by: string, labels: string, window: string): string {
  const own = labels && `{${labels}}`;
  const all = `sum by (${by}) (rate(${compared}${own}[${window}]))`;
  return `(sum by (${by}) (rate(${disagreed}${own}[${window}])) or ${all} * 0) / ${all}`;
}

/** The share of copies that were not made; 0 where all were. */
function droppedShare(by: string, labels: string, window: string): string {
  const dropped = [...(labels ? [labels] : []), 'outcome!~"compared|failed"'].join(",");
  const all = `sum by (${by}) (rate(${copies}${labels && `{${labels}}`}[${window}]))`;
  return `(sum by (${by}) (rate(${copies}{${dropped}}[${window}])) or ${all} * 0) / ${all}`;
}

function nameOf(metric: { name: string } | undefined): string {
  if (!metric) throw new Error("The table has no such metric.");
  return metric.name;
}
