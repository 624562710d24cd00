import * as z from "zod";
import { authSettings, authVariables, checkAuth } from "./auth/settings.ts";
import { ConfigurationError, problemsIn } from "./config-problems.ts";
import { rateSchema } from "./limits/rate.ts";
import type { Limits } from "./model/limits.ts";
import { isPublicKey } from "./model/signature.ts";
import {
  above0,
  aliasedModel,
  batchedModel,
  list,
  modelName,
  namedSources,
  text,
  truth,
  webOrigin,
  whole,
  type PlatformName,
  type Variable,
} from "./variable.ts";
import { spillSecrets } from "./spillover/secrets.ts";
import { allowedHost } from "./webhooks/allowed-hosts.ts";
import { webhookSecrets } from "./webhooks/secrets.ts";

const MIB = 1024 * 1024;

/** One day. A timer of more than some weeks would end at once. */
const LONGEST_TIMEOUT_MS = 86_400_000;

const NODE: readonly PlatformName[] = ["node"];
const LAMBDA: readonly PlatformName[] = ["lambda"];
const CLOUDFLARE_AND_NODE: readonly PlatformName[] = ["cloudflare", "node"];
const LAMBDA_AND_NODE: readonly PlatformName[] = ["lambda", "node"];

/** All variables. A platform with other defaults gives them to {@link readConfig}. */
export const VARIABLES = {
  STORE: {
    schema: text("must be a folder, s3://bucket/prefix or r2://BINDING/prefix"),
    about:
      "The store with the models: a folder, `s3://bucket/prefix`, or `r2://BINDING/prefix` (Workers).",
  },
  MODEL_NAME: {
    schema: modelName.optional(),
    about:
      "Says that STORE is a folder as model registries, KServe and Triton lay it: plain ONNX files, folders of versions, packages. A model that lies in the folder itself has this name.",
    on: NODE,
  },
  S3_ENDPOINT: {
    schema: z.url("must be a URL").optional(),
    about: "Endpoint of another S3 API (R2, MinIO); AWS's own when absent.",
    on: LAMBDA_AND_NODE,
  },
  S3_FORCE_PATH_STYLE: {
    schema: truth.default(false),
    about: "Whether the bucket is in the path of that endpoint's URLs.",
    on: LAMBDA_AND_NODE,
  },
  RUNTIME: {
    schema: z.enum(["native", "wasm"], { error: "must be native or wasm" }),
    about: "`native`, or on Node `wasm`, which makes answers bit-identical to the edge.",
    only: { lambda: "native", cloudflare: "wasm" },
  },
  THREADS: {
    schema: whole(1).default(1),
    about: "Threads that one run may use on the native runtime.",
    on: LAMBDA_AND_NODE,
  },
  WORKERS: {
    schema: whole(0, 64).default(0),
    about: "Processes that run models beside the server; 0 runs them in the server itself.",
    on: NODE,
  },
  WORKER_MEMORY_MB: {
    schema: above0().optional(),
    about:
      "Memory that each of these processes may take, in MiB. A process that takes more is replaced, and its current run is refused with 507. By default 1024, and 4 times SESSION_BUDGET_MB.",
    on: NODE,
  },
  DYNAMIC_BATCHING: {
    schema: list(batchedModel).optional(),
    about:
      "Models whose runs are joined, with the most rows of a joint run: `iris:32,search:16`. For models that compute each row by itself, and are faster with many rows at once.",
    on: NODE,
  },
  SESSION_BUDGET_MB: {
    schema: above0(),
    about: "The most MiB of artifacts whose sessions are kept in memory.",
  },
  PRELOAD: {
    schema: list(modelName).optional(),
    about:
      "Models that are loaded while the function starts, before its first request: `iris,search`.",
    on: LAMBDA,
    elsewhere: "ignored",
  },
  CACHE_DIR: {
    schema: text("must be a folder").optional(),
    about: "Folder of the local artifact tier.",
    on: LAMBDA_AND_NODE,
  },
  CACHE_DIR_MB: {
    schema: above0().default(4096),
    about:
      "The most MiB of artifacts in that folder; the least recently used ones are removed. An artifact that does not fit is loaded from memory.",
    on: LAMBDA_AND_NODE,
  },
  RELEASE_TTL_SECONDS: {
    schema: z.coerce
      .number({ error: "must be a number from 0 on" })
      .min(0, "must be a number from 0 on")
      .default(10),
    about: "Seconds after which a release is read again: how soon a release or rollback shows.",
  },
  STORE_TIMEOUT_MS: {
    schema: whole(1, LONGEST_TIMEOUT_MS).default(10_000),
    about: "Longest wait for one store operation.",
  },
  API_KEYS: {
    schema: authVariables.API_KEYS,
    about:
      "Who may ask: a JSON array of keys, or `ssm:/name` of a parameter that holds it (Lambda and Node).",
    secret: true,
  },
  JWT_ISSUER: {
    schema: authVariables.JWT_ISSUER,
    about: "The value that a token's `iss` must have.",
  },
  JWT_AUDIENCE: {
    schema: authVariables.JWT_AUDIENCE,
    about: "The value that a token's `aud` must be or contain.",
  },
  JWT_JWKS_URL: {
    schema: authVariables.JWT_JWKS_URL,
    about: "URL of the issuer's keys; by default `/.well-known/jwks.json` below the issuer.",
  },
  METRICS_TOKEN: {
    schema: z
      .string()
      .regex(/^[\w.~+/=-]{16,}$/, "must be at least 16 letters, digits and -._~+/=")
      .optional(),
    about:
      "Who sends this as a bearer token may read `/metrics`; without it, only keys with the scope `metrics`.",
    secret: true,
  },
  AUTH: { schema: authVariables.AUTH, about: "`none` lets everyone in." },
  TRUSTED_KEYS: {
    schema: list(
      z.string().refine(isPublicKey, "must be Ed25519 public keys in base64"),
    ).optional(),
    about:
      "Ed25519 public keys in base64, separated by commas. Only versions whose manifest one of them signed are served. When absent, no signature is needed.",
  },
  RATE_LIMIT: {
    schema: rateSchema.optional(),
    about:
      "The rate of each caller, such as `100/60s`: units of cost in a window. A key's own rate replaces it.",
  },
  MODEL_RATE_LIMIT: {
    schema: rateSchema.optional(),
    about: "The rate of each model, for all callers together.",
  },
  TRUST_PROXY: {
    schema: whole(0, 10).default(0),
    about:
      "How many proxies before this server append to `X-Forwarded-For`; 0 believes nothing in it.",
    on: LAMBDA_AND_NODE,
  },
  RATE_LIMIT_TABLE: {
    schema: text("must be the name of a table").optional(),
    about:
      "The DynamoDB table in which all environments count together: rates, and what rollouts and drift stand on.",
    on: LAMBDA,
    instead: {
      node: "REDIS_URL counts for all instances",
      cloudflare: "rate limiting bindings count",
    },
  },
  REDIS_URL: {
    schema: z
      .url({ protocol: /^rediss?$/, error: "must be like redis://host:6379, or rediss://" })
      .optional(),
    about:
      "The Redis that counts for all instances (rates, and what rollouts and drift stand on), keeps their predictions, and on Node has the queue of jobs.",
    on: LAMBDA_AND_NODE,
    instead: { cloudflare: "rate limiting bindings count" },
    secret: true,
  },
  FEATURE_SOURCES: {
    schema: namedSources.optional(),
    about:
      "Where features are looked up, by the names that manifests use, separated by commas: `customers=redis://host:6379,shops=s3://bucket/shops`. Node and Lambda: `redis://`, `s3://`, `dynamodb://table`, `postgres://host/database?table=name` or a folder. Workers: `kv://BINDING`, `r2://BINDING/prefix` or `hyperdrive://BINDING?table=name`. All: `feast+https://host`.",
    secret: true,
  },
  PREDICTION_CACHE_TTL_SECONDS: {
    schema: whole(0, 31_536_000).default(0),
    about: "How long answers are kept, for models whose manifests do not say; 0 keeps none.",
  },
  PREDICTION_CACHE_MB: {
    schema: above0().default(32),
    about:
      "Memory for kept answers in each process, without Redis; an answer takes about 650 bytes more than its own.",
    on: LAMBDA_AND_NODE,
    elsewhere: "ignored",
  },
  CORS_ORIGINS: {
    schema: list(webOrigin).optional(),
    about:
      "Web origins whose pages may call the service, separated by commas; `*` for all; none by default.",
  },
  REQUEST_TIMEOUT_MS: {
    schema: whole(1, LONGEST_TIMEOUT_MS).default(30_000),
    about:
      "Longest time for one request; the client's own `X-Request-Timeout-Ms` and a model's may be shorter.",
  },
  MAX_CONCURRENCY: {
    schema: whole(1).default(512),
    about:
      "Most requests that are in one instance at once, waiting or being answered, and as many GETs; further ones are refused with 503.",
  },
  BODY_BUDGET_MB: {
    schema: above0().default(256),
    about:
      "Most MiB of bodies above 64 KiB in transfer at once. Beyond it, the oldest slow request loses its place. On Node, the same bound holds for answers: the slowest readers are cut off.",
    on: CLOUDFLARE_AND_NODE,
    elsewhere: "ignored",
  },
  MAX_QUEUE_MS: {
    schema: whole(1).optional(),
    about:
      "Refuse what would wait longer for the processor, where late answers are of no use; by default requests wait until their deadlines.",
    on: NODE,
    elsewhere: "ignored",
  },
  ROLLOUT_WATCH_SECONDS: {
    schema: whole(0, 86_400).default(10),
    about:
      "How often versions on trial are looked at, which takes a bad one back and lets the share of a good one grow; 0 leaves that to others.",
    on: CLOUDFLARE_AND_NODE,
    elsewhere: "ignored",
  },
  JOBS_FILE: {
    schema: text("must be a file").default(".nearcast/jobs.sqlite"),
    about:
      "The file with the jobs and their queue, without Redis. It needs a Node with SQLite (22.13 or later): others answer every call at once.",
    on: NODE,
    elsewhere: "ignored",
  },
  JOBS_FILE_MB: {
    schema: above0().default(16_384),
    about:
      "The most MiB of that file. What does not fit is refused with 503 until jobs and files are removed.",
    on: NODE,
    elsewhere: "ignored",
  },
  JOBS_QUEUE_URL: {
    schema: z.url({ protocol: /^https?$/, error: "must be a URL" }).optional(),
    about:
      "The queue of SQS in which jobs wait. They lie in STORE. Without it every call is answered at once.",
    on: LAMBDA,
    instead: { node: "jobs wait in JOBS_FILE", cloudflare: "jobs wait in a queue bound as JOBS" },
  },
  JOB_CONCURRENCY: {
    schema: whole(1, 64).default(1),
    about:
      "How many jobs one process, or one invocation of a Worker, works on at once. They run while no request waits.",
    on: CLOUDFLARE_AND_NODE,
    elsewhere: "ignored",
  },
  JOB_TIMEOUT_MS: {
    schema: whole(1, LONGEST_TIMEOUT_MS).default(300_000),
    about: "Longest time for the run of one job. On Workers 840000 (14 minutes) at the most.",
  },
  MAX_FILE_BYTES: {
    schema: whole(1).default(1024 * MIB),
    about: "Longest upload of a batch, in bytes. It is stored in parts, and read in pieces.",
  },
  JOB_RESULT_TTL: {
    schema: whole(60, 30 * 86_400).default(86_400),
    about:
      "Seconds for which a job's answer is kept. A job that has not run for so long has expired.",
  },
  WEBHOOK_HOSTS: {
    schema: list(allowedHost).optional(),
    about:
      "The hosts that jobs may tell of their ends, separated by commas: `hooks.example.com`, `*.example.com` for all below, `*` for all, `localhost:9000` in development. None by default.",
  },
  WEBHOOK_SECRET: {
    schema: webhookSecrets.optional(),
    about:
      "What signs webhooks: `whsec_` and 24 to 64 bytes in base64. Several, separated by commas, while one replaces another. A JSON object has them by caller, `*` for all others. `ssm:/name` is a parameter that holds them (Lambda and Node).",
    secret: true,
  },
  SPILL_URL: {
    schema: z
      .url({ protocol: /^https?$/, error: "must be a URL" })
      .refine((url) => !/[?#@]/.test(url), "must be a URL without user, query and fragment")
      .transform((url) => url.replace(/\/+$/, ""))
      .optional(),
    about:
      "The deployment, on Lambda or Node, that answers for models that are too large for this one: `https://region.example.com`.",
  },
  SPILL_SECRET: {
    schema: spillSecrets.optional(),
    about:
      "What signs the requests that are forwarded to SPILL_URL. The deployment there has the same, and then takes them without a key. Several, separated by commas, while one replaces another: the first one signs. `ssm:/name` is a parameter that holds them (Lambda and Node).",
    secret: true,
  },
  SPILL_HEDGE_MS: {
    schema: whole(1, LONGEST_TIMEOUT_MS).optional(),
    about:
      "After so many milliseconds without an answer from SPILL_URL, the request is sent there once more, and the first answer counts. Never by default.",
  },
  ACCESS_LOG: {
    schema: truth.default(true),
    about: "Whether each request writes a line to the log.",
  },
  EMBEDDED_METRICS: {
    schema: truth.default(true),
    about:
      "Whether each request writes a line with metrics for CloudWatch (Embedded Metric Format) to the log.",
    on: LAMBDA,
    elsewhere: "ignored",
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: z.url({ protocol: /^https?$/, error: "must be a URL" }).optional(),
    about:
      "Where metrics and traces are sent over OTLP/HTTP in JSON: `/v1/metrics` and `/v1/traces` below it. Nowhere by default.",
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: list(
      z
        .string()
        .regex(/^[\w-]+=.+$/, "must be like name=value,name=value")
        .transform((text) => {
          const at = text.indexOf("=");
          return [text.slice(0, at), decodeURIComponent(text.slice(at + 1))] as const;
        }),
    ).optional(),
    about: "Header fields of these requests: `name=value`, separated by commas, percent-encoded.",
    secret: true,
  },
  OTEL_SERVICE_NAME: {
    schema: text("must be a name").default("nearcast"),
    about: "The name of this service there.",
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z.coerce
      .number({ error: "must be a number from 0 to 1" })
      .min(0, "must be a number from 0 to 1")
      .max(1, "must be a number from 0 to 1")
      .default(1),
    about:
      "The share of requests without a `traceparent` that begin a trace. With one, the client decides.",
  },
  OTEL_METRIC_EXPORT_INTERVAL: {
    schema: whole(1000, LONGEST_TIMEOUT_MS).default(60_000),
    about: "Milliseconds between two sendings of metrics.",
  },
  MAX_BODY_BYTES: { schema: whole(1).default(6 * MIB), about: "Longest body, decompressed." },
  MAX_BATCH: { schema: whole(1).default(1000), about: "Most inputs in one request." },
  MAX_TEXT_LENGTH: {
    schema: whole(1).default(100_000),
    about: "Longest text input, in UTF-16 code units.",
  },
  MAX_IMAGE_PIXELS: {
    schema: whole(1).default(16_000_000),
    about: "Most pixels (width × height) that the images of a request may decode to.",
  },
  MAX_AUDIO_SECONDS: {
    schema: whole(1).default(120),
    about: "Most seconds that the recordings of a request may last together.",
  },
  MAX_ELEMENTS: {
    schema: whole(1).default(4_194_304),
    about:
      "Most elements of a request's tensors. A picture of 1,182 × 1,182 pixels in three colours just fits.",
  },
  MAX_POSITION_PAIRS: {
    schema: whole(1).default(4_194_304),
    about:
      "Most pairs of positions of a request's tensors: rows × the square of the longest dimension besides the batch that the manifest leaves free, without `maxShape`. 16 rows of 512 just fit, and one row of 2,048.",
  },
  MAX_ANSWER_BYTES: {
    schema: whole(1).default(16 * MIB),
    about:
      "Longest answer in bytes; a number with a fraction counts 20 bytes of JSON. The default has room for 1,000 vectors of 768 numbers.",
  },
  DEPLOYMENT_ID: {
    schema: z
      .string()
      .regex(/^[\w.:+-]{1,100}$/, "must be up to 100 letters, digits and -._:+")
      .optional(),
    about:
      "What names this deployment: every answer has it as `X-Deployment-Id`. `nearcast deploy` sets it.",
  },
  DEFAULT_MODEL: {
    schema: modelName.optional(),
    about: "The model that `/invocations` asks when the request names none.",
  },
  ALIASES: {
    schema: list(aliasedModel).optional(),
    about:
      "Paths of your own that ask a model, as the front ends of tutorials do: `/sentiment:sentiment,/recommend:retail`.",
  },
  HOST: {
    schema: text("must be an address or a name").default("127.0.0.1"),
    about: "The address to listen on.",
    on: NODE,
    elsewhere: "ignored",
  },
  PORT: {
    schema: whole(0, 65_535).default(8787),
    about: "The port to listen on; 0 takes a free one.",
    on: NODE,
    elsewhere: "ignored",
  },
  GRPC_PORT: {
    schema: whole(0, 65_535).optional(),
    about:
      "The port for gRPC, over HTTP/2 without TLS; 0 takes a free one. Without it the server takes no gRPC, but still Connect and gRPC-Web at `PORT`.",
    on: NODE,
    elsewhere: "ignored",
  },
  SHUTDOWN_GRACE_MS: {
    schema: whole(0, LONGEST_TIMEOUT_MS).default(5000),
    about:
      "After SIGTERM, `/ready` answers 503 while requests are still accepted for this long, so that load balancers stop sending. There is no wait if nobody has asked `/ready`.",
    on: NODE,
    elsewhere: "ignored",
  },
} satisfies Record<string, Variable>;

type Variables = typeof VARIABLES;
type VariableName = keyof Variables;

const rows = Object.entries(VARIABLES) as [VariableName, Variable][];
const shape = Object.fromEntries(rows.map(([name, { schema }]) => [name, schema])) as {
  [Name in VariableName]: Variables[Name]["schema"];
};

const schema = z.object(shape).superRefine((value, context) => {
  const report = (name: string, message: string) =>
    context.addIssue({ code: "custom", path: [name], message });
  checkAuth(value, report);
  if (value.WEBHOOK_HOSTS && !value.WEBHOOK_SECRET)
    report("WEBHOOK_SECRET", "must be set with WEBHOOK_HOSTS: webhooks are signed");
  if (value.SPILL_URL && !value.SPILL_SECRET)
    report("SPILL_SECRET", "must be set with SPILL_URL: forwarded requests are signed");
  if (value.MODEL_NAME && /^\w+:\/\//.test(value.STORE))
    report("MODEL_NAME", "needs a folder as STORE");
  if (value.WORKERS > 0 && value.RUNTIME !== "native") report("WORKERS", "needs RUNTIME=native");
});

export type Config = ReturnType<typeof readConfig>;

/**
 * How often versions on trial are looked at, in milliseconds; 0 is never. For who has a part of the environment only, as
 * a Durable Object may. Throws a {@link ConfigurationError}.
 */
export function readRolloutWatchMs(environment: Record<string, unknown>): number {
  const name = "ROLLOUT_WATCH_SECONDS";
  // As with all variables, an empty one is not set.
  const given = environment[name] === "" ? undefined : environment[name];
  const { success, data, error } = VARIABLES[name].schema.safeParse(given, { jitless: true });
  if (success) return data * 1000;
  throw new ConfigurationError(
    error.issues.map(({ message }) => `${name}: ${message}, not ${JSON.stringify(given)}`),
  );
}

/**
 * Reads the configuration from environment variables, with the platform's own defaults.
 * Throws one {@link ConfigurationError} that names every bad variable.
 */
export function readConfig(
  environment: Record<string, unknown>,
  defaults: Record<string, unknown>,
  platform: PlatformName,
) {
  // An empty variable counts as not set: CI systems and shells pass a missing value so. Trust is the exception: an
  // empty secret must not mean that everything is trusted.
  const given: Record<string, unknown> = Object.fromEntries(
    rows
      .map(([name]) => [name, environment[name]] as const)
      .filter(([name, value]) => value !== undefined && (value !== "" || name === "TRUSTED_KEYS")),
  );
  const result = schema.safeParse({ ...defaults, ...given }, { jitless: true });
  const issues = result.error?.issues ?? [];
  const problems = problemsIn({ table: VARIABLES, environment, given, platform, issues });
  if (!result.success || problems.length > 0) throw new ConfigurationError(problems);
  const value = result.data;
  return {
    store: value.STORE,
    modelName: value.MODEL_NAME,
    s3: { endpoint: value.S3_ENDPOINT, forcePathStyle: value.S3_FORCE_PATH_STYLE },
    runtime: value.RUNTIME,
    threads: value.THREADS,
    workers: value.WORKERS,
    workerMemoryBytes: (value.WORKER_MEMORY_MB ?? 1024 + 4 * value.SESSION_BUDGET_MB) * MIB,
    dynamicBatching: new Map(value.DYNAMIC_BATCHING),
    sessionBudgetBytes: Math.floor(value.SESSION_BUDGET_MB * MIB),
    preload: value.PRELOAD ?? [],
    cacheDirectory: value.CACHE_DIR,
    cacheDirectoryBytes: value.CACHE_DIR_MB * MIB,
    releaseTtlMs: value.RELEASE_TTL_SECONDS * 1000,
    storeTimeoutMs: value.STORE_TIMEOUT_MS,
    deploymentId: value.DEPLOYMENT_ID,
    requestTimeoutMs: value.REQUEST_TIMEOUT_MS,
    maxConcurrency: value.MAX_CONCURRENCY,
    bodyBudgetBytes: Math.floor(value.BODY_BUDGET_MB * MIB),
    maxQueueMs: value.MAX_QUEUE_MS ?? Infinity,
    corsOrigins: value.CORS_ORIGINS,
    trustedKeys: value.TRUSTED_KEYS,
    rolloutWatchMs: value.ROLLOUT_WATCH_SECONDS * 1000,
    jobsFile: value.JOBS_FILE,
    jobsFileBytes: value.JOBS_FILE_MB * MIB,
    jobsQueueUrl: value.JOBS_QUEUE_URL,
    jobConcurrency: value.JOB_CONCURRENCY,
    jobTimeoutMs: value.JOB_TIMEOUT_MS,
    maxFileBytes: value.MAX_FILE_BYTES,
    jobResultTtlMs: value.JOB_RESULT_TTL * 1000,
    accessLog: value.ACCESS_LOG,
    metricsToken: value.METRICS_TOKEN,
    embeddedMetrics: value.EMBEDDED_METRICS,
    otlp: {
      endpoint: value.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: Object.fromEntries(value.OTEL_EXPORTER_OTLP_HEADERS ?? []),
      serviceName: value.OTEL_SERVICE_NAME,
      traceRatio: value.OTEL_TRACES_SAMPLER_ARG,
      intervalMs: value.OTEL_METRIC_EXPORT_INTERVAL,
    },
    webhooks: {
      hosts: value.WEBHOOK_HOSTS ?? [],
      secrets: value.WEBHOOK_SECRET ?? new Map<string, readonly string[]>(),
    },
    spill: {
      url: value.SPILL_URL,
      secrets: value.SPILL_SECRET,
      hedgeMs: value.SPILL_HEDGE_MS,
    },
    limits: {
      bodyBytes: value.MAX_BODY_BYTES,
      batch: value.MAX_BATCH,
      textLength: value.MAX_TEXT_LENGTH,
      imagePixels: value.MAX_IMAGE_PIXELS,
      audioSeconds: value.MAX_AUDIO_SECONDS,
      elements: value.MAX_ELEMENTS,
      positionPairs: value.MAX_POSITION_PAIRS,
      answerBytes: value.MAX_ANSWER_BYTES,
    } satisfies Limits,
    rateLimit: value.RATE_LIMIT,
    modelRateLimit: value.MODEL_RATE_LIMIT,
    trustedProxies: value.TRUST_PROXY,
    rateLimitTable: value.RATE_LIMIT_TABLE,
    redisUrl: value.REDIS_URL,
    featureSources: value.FEATURE_SOURCES ?? [],
    predictionCache: {
      ttlSeconds: value.PREDICTION_CACHE_TTL_SECONDS,
      bytes: Math.floor(value.PREDICTION_CACHE_MB * MIB),
    },
    defaultModel: value.DEFAULT_MODEL,
    aliases: value.ALIASES ?? [],
    auth: authSettings(value),
    host: value.HOST,
    port: value.PORT,
    grpcPort: value.GRPC_PORT,
    shutdownGraceMs: value.SHUTDOWN_GRACE_MS,
  };
}
