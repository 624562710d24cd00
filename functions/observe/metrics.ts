import type { CallRecord } from "../call.ts";
import type { Durations } from "./phases.ts";
import type {
  CaptureRecord,
  CopyRecord,
  JobRecord,
  LoadRecord,
  RequestRecord,
  WebhookRecord,
} from "./observer.ts";

/** What is counted of one kind of record, or measured when it is asked for. */
export interface Metric<Counted = never> {
  /** As Prometheus names it. Names of counters end in `_total`, but those of Triton. */
  name: string;
  /** `untyped`: a counter of Triton, whose name is none for Prometheus' tools. */
  kind: "counter" | "histogram" | "gauge" | "untyped";
  help: string;
  /** The labels, in their order. Bounded in number: a name that a client made up is never one. */
  labels: readonly string[];
  /** The upper bounds of a histogram's buckets. A value is counted in the first one that it does not exceed. */
  buckets?: readonly number[];
  /** The unit of the sum in Prometheus' name: what is counted is divided by it. 1 when absent. */
  scale?: number;
  /**
   * What a record adds: a whole number, so that sums are exact. Nothing where it is undefined, and with 0 only to a
   * histogram.
   */
  of?: (record: Counted) => number | undefined;
  /** The value of the last label, where records have different ones. */
  label?: (record: Counted) => string | undefined;
}

const MODEL = ["model", "version"] as const;
const MICROSECONDS = 1e6;

/** Seconds that tell apart what ONNX models take, from small tables to large texts. */
const INFERENCE_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The buckets that OpenTelemetry gives `http.server.request.duration`. */
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const once = (): number => 1;

/** What calls of models count, by model and version. Triton's names mean what they mean there. */
export const CALL_METRICS: Record<string, Metric<CallRecord>> = {
  ok: {
    name: "nv_inference_request_success",
    kind: "untyped",
    help: "Number of successful inference requests, all batch sizes.",
    labels: MODEL,
    of: ({ error }) => (error ? undefined : 1),
  },
  fail: {
    name: "nv_inference_request_failure",
    kind: "untyped",
    help: "Number of failed inference requests, by reason.",
    labels: [...MODEL, "reason"],
    of: ({ error }) => (error ? 1 : undefined),
    label: ({ error }) => error && (REASONS[error.code] ?? "OTHER"),
  },
  rows: {
    name: "nv_inference_count",
    kind: "untyped",
    help: "Number of inferences performed: each row of a batch is one. Answers from the cache are none.",
    labels: MODEL,
    of: (record) => (isRun(record) ? record.rows : undefined),
  },
  runs: {
    name: "nv_inference_exec_count",
    kind: "untyped",
    help: "Number of model executions performed. Answers from the cache are none.",
    labels: MODEL,
    of: (record) => (isRun(record) ? 1 : undefined),
  },
  us: {
    name: "nv_inference_request_duration_us",
    kind: "untyped",
    help: "Cumulative inference request duration in microseconds: of successful calls, all their phases.",
    labels: MODEL,
    of: (record) => (record.error ? undefined : microsecondsOf(record)),
  },
  queue: {
    name: "nv_inference_queue_duration_us",
    kind: "untyped",
    help: "Cumulative inference queuing duration in microseconds, with the time to load the model.",
    labels: MODEL,
    of: runs(({ queue = 0, load = 0 }) => queue + load),
  },
  input: {
    name: "nv_inference_compute_input_duration_us",
    kind: "untyped",
    help: "Cumulative compute input duration in microseconds: preprocessing.",
    labels: MODEL,
    of: runs(({ preprocess = 0 }) => preprocess),
  },
  infer: {
    name: "nv_inference_compute_infer_duration_us",
    kind: "untyped",
    help: "Cumulative compute inference duration in microseconds: ONNX Runtime.",
    labels: MODEL,
    of: runs(({ run = 0 }) => run),
  },
  output: {
    name: "nv_inference_compute_output_duration_us",
    kind: "untyped",
    help: "Cumulative inference compute output duration in microseconds: postprocessing.",
    labels: MODEL,
    of: runs(({ postprocess = 0 }) => postprocess),
  },
  hits: {
    name: "nv_cache_num_hits_per_model",
    kind: "untyped",
    help: "Number of cache hits per model.",
    labels: MODEL,
    of: ({ cache }) => (cache === "hit" || cache === "collapsed" ? 1 : undefined),
  },
  misses: {
    name: "nv_cache_num_misses_per_model",
    kind: "untyped",
    help: "Number of cache misses per model.",
    labels: MODEL,
    of: ({ cache }) => (cache === "miss" ? 1 : undefined),
  },
  time: {
    name: "nearcast_inference_duration_seconds",
    kind: "histogram",
    help: "Duration of successful calls of a model, without reading the request.",
    labels: MODEL,
    buckets: INFERENCE_SECONDS,
    scale: MICROSECONDS,
    of: (record) => (record.error ? undefined : microsecondsOf(record)),
  },
  error: {
    name: "nearcast_inference_errors_total",
    kind: "counter",
    help: "Calls of a model that were refused or failed, by the code of the error.",
    labels: [...MODEL, "code"],
    of: ({ error }) => (error ? 1 : undefined),
    label: ({ error }) => error?.code,
  },
  why: {
    name: "nearcast_assignments_total",
    kind: "counter",
    help: "Calls of a model by why this version answered: stable, candidate, or named by the call.",
    labels: [...MODEL, "assignment"],
    of: once,
    label: ({ reason }) => reason,
  },
  tokens: {
    name: "nearcast_tokens_total",
    kind: "counter",
    help: "Tokens of the inputs.",
    labels: MODEL,
    of: ({ tokens }) => tokens,
  },
  cost: {
    name: "nearcast_cost_units_total",
    kind: "counter",
    help: "Units of cost, as rates count them.",
    labels: MODEL,
    of: ({ cost }) => cost,
  },
};

const SOURCE = [...MODEL, "source"] as const;

/** What look-ups of features count, by model, version and source. */
export const LOOKUP_METRICS: Record<string, Metric<CallRecord>> = {
  fread: {
    name: "nearcast_feature_reads_total",
    kind: "counter",
    help: "Reads of a source of features: at most one for a call.",
    labels: SOURCE,
    of: ({ lookup }) => lookup?.reads,
  },
  ftime: {
    name: "nearcast_feature_read_duration_seconds",
    kind: "histogram",
    help: "How long a source of features took to answer, or was waited for.",
    labels: SOURCE,
    buckets: INFERENCE_SECONDS,
    scale: MICROSECONDS,
    of: ({ lookup, durations }) =>
      lookup?.reads && durations ? Math.round((durations["features"] ?? 0) * 1000) : undefined,
  },
  ffail: {
    name: "nearcast_feature_read_failures_total",
    kind: "counter",
    help: "Reads that a source of features did not answer, or not in time.",
    labels: SOURCE,
    of: ({ lookup }) => lookup?.failures,
  },
  ffound: {
    name: "nearcast_feature_values_total",
    kind: "counter",
    help: "Values of a source, or kept from an earlier read, that predictions used.",
    labels: SOURCE,
    of: ({ features }) => features?.found,
  },
  fmiss: {
    name: "nearcast_feature_misses_total",
    kind: "counter",
    help: "Values that a source of features does not know, also of calls that were refused for it.",
    labels: SOURCE,
    of: ({ lookup }) => lookup?.misses,
  },
  fstale: {
    name: "nearcast_feature_stale_total",
    kind: "counter",
    help: "Values that were too old for the manifest's maxAgeSeconds.",
    labels: SOURCE,
    of: ({ lookup }) => lookup?.stale,
  },
};

/** What HTTP requests count. Durations are OpenTelemetry's `http.server.request.duration`. */
export const REQUEST_METRICS: Record<string, Metric<RequestRecord>> = {
  http: {
    name: "nearcast_http_requests_total",
    kind: "counter",
    help: "HTTP requests that were answered.",
    labels: ["http_request_method", "http_route", "http_response_status_code"],
    of: once,
  },
  httptime: {
    name: "http_server_request_duration_seconds",
    kind: "histogram",
    help: "Duration of HTTP server requests. Absent where the platform's clock stands still.",
    labels: ["http_request_method", "http_route", "http_response_status_code"],
    buckets: HTTP_SECONDS,
    scale: MICROSECONDS,
    of: ({ milliseconds }) => milliseconds && Math.round(milliseconds * 1000),
  },
};

/** What HTTP requests count without labels of the request. */
export const SERVICE_METRICS: Record<string, Metric<RequestRecord>> = {
  refused: {
    name: "nearcast_refusals_total",
    kind: "counter",
    help: "Requests that were refused or failed, by the code of the error: overloaded and rate_limited are load that was shed.",
    labels: ["code"],
    of: ({ error }) => (error ? 1 : undefined),
    label: ({ error }) => error?.code,
  },
  cold: {
    name: "nearcast_cold_starts_total",
    kind: "counter",
    help: "Instances that answered their first request.",
    labels: [],
    of: ({ cold }) => (cold ? 1 : undefined),
  },
};

/** What loads of models count. */
export const LOAD_METRICS: Record<string, Metric<LoadRecord>> = {
  loads: {
    name: "nearcast_model_loads_total",
    kind: "counter",
    help: "Loads of a model's artifact into memory, by whether they failed.",
    labels: [...MODEL, "outcome"],
    of: once,
    label: ({ error }) => (error ? "failed" : "loaded"),
  },
  loadtime: {
    name: "nearcast_model_load_duration_seconds",
    kind: "histogram",
    help: "Duration of loads of a model's artifact. Absent where the platform's clock stands still.",
    labels: MODEL,
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    scale: MICROSECONDS,
    of: ({ milliseconds }) => milliseconds && Math.round(milliseconds * 1000),
  },
};

/** What jobs count, by model and version. */
export const JOB_METRICS: Record<string, Metric<JobRecord>> = {
  jobs: {
    name: "nearcast_jobs_total",
    kind: "counter",
    help: "Jobs by status: queued when they are made, and what they ended as.",
    labels: [...MODEL, "status"],
    of: once,
    label: ({ status }) => status,
  },
};

/** What tries to tell webhooks of jobs' ends count, by model and version. */
export const WEBHOOK_METRICS: Record<string, Metric<WebhookRecord>> = {
  webhooks: {
    name: "nearcast_webhook_tries_total",
    kind: "counter",
    help: "Tries to tell webhooks of the ends of jobs: delivered, failed and to be tried again, or given_up.",
    labels: [...MODEL, "outcome"],
    of: once,
    label: ({ outcome }) => outcome,
  },
};

/** What copies for versions on trial count, by the version that gets them. */
export const COPY_METRICS: Record<string, Metric<CopyRecord>> = {
  copies: {
    name: "nearcast_shadow_copies_total",
    kind: "counter",
    help: "Copies of calls for versions on trial: compared, or failed, or why none was made.",
    labels: [...MODEL, "outcome"],
    of: once,
    label: ({ error, dropped }) => dropped ?? (error ? "failed" : "compared"),
  },
  compared: {
    name: "nearcast_shadow_inputs_total",
    kind: "counter",
    help: "Copied inputs whose answers were compared with those of the stable version.",
    labels: MODEL,
    of: ({ compared }) => compared,
  },
  disagreed: {
    name: "nearcast_shadow_disagreements_total",
    kind: "counter",
    help: "Copied inputs that the version answered otherwise than the stable version.",
    labels: MODEL,
    of: ({ disagreed }) => disagreed,
  },
};

/** What captured lines count, by model and version. */
export const CAPTURE_METRICS: Record<string, Metric<CaptureRecord>> = {
  captured: {
    name: "nearcast_captured_lines_total",
    kind: "counter",
    help: "Captured inputs and outcomes: written to the store, or dropped because it did not take them in time.",
    labels: [...MODEL, "outcome"],
    of: ({ lines }) => lines,
    label: ({ outcome }) => outcome,
  },
};

/** What is measured when metrics are asked for, where an instance answers for itself. */
export const GAUGES = {
  build: {
    name: "nearcast_build_info",
    kind: "gauge",
    help: "The version of Nearcast, and where it runs. Always 1.",
    labels: ["version", "platform"],
  },
  sessions: {
    name: "nearcast_sessions",
    kind: "gauge",
    help: "Models that are loaded.",
    labels: [],
  },
  waiting: {
    name: "nearcast_waiting_runs",
    kind: "gauge",
    help: "Runs that are computed or wait for their turn.",
    labels: [],
  },
  drift: {
    name: "nearcast_drift_psi",
    kind: "gauge",
    help: "How far the last 24 hours of a version are from its training data: the population stability index.",
    labels: [...MODEL, "feature"],
  },
  drifted: {
    name: "nearcast_drift_detected",
    kind: "gauge",
    help: "1 where the feature has shifted, by the sizes of the samples and the number of features. Otherwise 0.",
    labels: [...MODEL, "feature"],
  },
  accuracy: {
    name: "nearcast_accuracy",
    kind: "gauge",
    help: "Accuracy in production: the share of right labels, by the outcomes of the last 7 days.",
    labels: [...MODEL, "role"],
  },
  f1: {
    name: "nearcast_f1_macro",
    kind: "gauge",
    help: "F1 in production, the mean over the labels, by the outcomes of the last 7 days.",
    labels: [...MODEL, "role"],
  },
  mae: {
    name: "nearcast_mean_absolute_error",
    kind: "gauge",
    help: "Mean absolute error in production, by the outcomes of the last 7 days.",
    labels: [...MODEL, "role"],
  },
  rmse: {
    name: "nearcast_root_mean_squared_error",
    kind: "gauge",
    help: "Root mean squared error in production, by the outcomes of the last 7 days.",
    labels: [...MODEL, "role"],
  },
  estimate: {
    name: "nearcast_accuracy_estimate",
    kind: "gauge",
    help: "An estimate of the accuracy without outcomes (CBPE): the mean of the calibrated scores of the last 7 days.",
    labels: [...MODEL, "role"],
  },
  outcomes: {
    name: "nearcast_outcomes",
    kind: "gauge",
    help: "Outcomes of the last 7 days. Absent below 5, as is what is made of them.",
    labels: [...MODEL, "role"],
  },
  cpu: {
    name: "process_cpu_seconds_total",
    kind: "counter",
    help: "Processor time of the server's process, without those of WORKERS.",
    labels: [],
  },
  memory: {
    name: "process_resident_memory_bytes",
    kind: "gauge",
    help: "Resident memory of the server's process.",
    labels: [],
  },
  started: {
    name: "process_start_time_seconds",
    kind: "gauge",
    help: "When the process started, in seconds since 1970.",
    labels: [],
  },
} satisfies Record<string, Metric>;

/** All that is kept as sums, by id. Ids are short: they are stored with each sum. */
export const SUMMED: Readonly<Record<string, Metric>> = {
  ...CALL_METRICS,
  ...LOOKUP_METRICS,
  ...REQUEST_METRICS,
  ...SERVICE_METRICS,
  ...LOAD_METRICS,
  ...COPY_METRICS,
  ...CAPTURE_METRICS,
  ...JOB_METRICS,
  ...WEBHOOK_METRICS,
};

/** Triton's reasons. Other codes are OTHER. */
const REASONS: Partial<Record<string, "REJECTED" | "CANCELED" | "BACKEND">> = {
  overloaded: "REJECTED",
  rate_limited: "REJECTED",
  shutting_down: "REJECTED",
  region_unavailable: "REJECTED",
  deadline_exceeded: "REJECTED",
  client_closed_request: "CANCELED",
  internal: "BACKEND",
  runtime_failed: "BACKEND",
  out_of_memory: "BACKEND",
  model_corrupt: "BACKEND",
  model_untrusted: "BACKEND",
  model_too_large: "BACKEND",
  store_unavailable: "BACKEND",
  features_invalid: "BACKEND",
  features_unavailable: "BACKEND",
  features_late: "BACKEND",
};

function isRun({ executed, error, cache }: CallRecord): boolean {
  return executed && !error && cache !== "hit" && cache !== "collapsed";
}

/** Microseconds of runs. A phase has its own function: V8 finds a member whose name is in a variable only slowly. */
function runs(
  millisecondsOf: (durations: Durations) => number,
): (record: CallRecord) => number | undefined {
  return (record) => {
    const { durations } = record;
    if (!durations || !isRun(record)) return undefined;
    return Math.round(millisecondsOf(durations) * 1000);
  };
}

/** All phases but reading the request. */
function microsecondsOf({ durations }: CallRecord): number | undefined {
  if (!durations) return undefined;
  let sum = 0;
  for (const name in durations) if (name !== "read") sum += durations[name] ?? 0;
  return Math.round(sum * 1000);
}
