import * as z from "zod";
import { authSettings, authVariables, checkAuth } from "./auth/settings.ts";
import { rateSchema } from "./limits/rate.ts";
import type { Limits } from "./model/limits.ts";
import { NAME_PATTERN } from "./model/name.ts";
import { isPublicKey } from "./model/signature.ts";

const MIB = 1024 * 1024;

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** A day: beyond some weeks a timer would end at once. */
const LONGEST_TIMEOUT_MS = 86_400_000;

const milliseconds = (fallback: number) =>
  z.coerce.number().int().positive().max(LONGEST_TIMEOUT_MS).default(fallback);

const webOrigin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    "must be like https://example.com",
  );

const batchedModel = z
  .string()
  .transform((text) => text.split(":"))
  .pipe(
    z.tuple([
      z.string().regex(NAME_PATTERN),
      z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(2)),
    ]),
  );

/** Values separated by commas. */
const list = <Value>(value: z.ZodType<Value, string>) =>
  z
    .string()
    .transform((text) => text.split(",").map((part) => part.trim()))
    .pipe(z.array(value));

const variables = z.object({
  ...authVariables,
  /** Where the models lie: a folder, `s3://bucket/prefix`, or `r2://BINDING/prefix` (Workers). */
  STORE: z.string().min(1),
  /** Endpoint of another S3 API (R2, MinIO); AWS's own when absent. */
  S3_ENDPOINT: z.url().optional(),
  S3_FORCE_PATH_STYLE: z.stringbool().default(false),
  /** `native`, or on Node `wasm`, which makes answers bit-identical to the edge. */
  RUNTIME: z.enum(["native", "wasm"]),
  /** Threads that one run may use on the native runtime. */
  THREADS: positive(1),
  /** Node: processes that run models beside the server; 0 runs them in the server itself. */
  WORKERS: z.coerce.number().int().min(0).max(64).default(0),
  /**
   * Node: models whose runs are joined, with the most rows of a joint run: `iris:32,search:16`. For models
   * that compute each row by itself, and many of them together faster.
   */
  DYNAMIC_BATCHING: list(batchedModel).optional(),
  /** Sessions are kept while their artifacts add up to no more than this many MiB. */
  SESSION_BUDGET_MB: z.coerce.number().positive(),
  /** Folder of the local artifact tier (Lambda and Node). */
  CACHE_DIR: z.string().min(1).optional(),
  /** A release is asked for again when it is older than this: how soon a release or rollback shows. */
  RELEASE_TTL_SECONDS: z.coerce.number().min(0).default(10),
  /** Longest wait for one store operation. */
  STORE_TIMEOUT_MS: milliseconds(10_000),
  /** Longest time for one request; the client's own `X-Request-Timeout-Ms` and a model's may be shorter. */
  REQUEST_TIMEOUT_MS: milliseconds(30_000),
  /** Most requests, besides GET, that one instance answers at once; further ones are refused with 503. */
  MAX_CONCURRENCY: positive(256),
  /** Node: longest wait of a burst for the processor; under lasting overload it is much shorter. */
  MAX_QUEUE_MS: positive(250),
  MAX_BODY_BYTES: positive(6 * MIB),
  /** Most inputs in one request. */
  MAX_BATCH: positive(1000),
  /** Longest text input, in UTF-16 code units. */
  MAX_TEXT_LENGTH: positive(100_000),
  /** Most pixels (width × height) an image may decode to. */
  MAX_IMAGE_PIXELS: positive(16_000_000),
  /** What each caller may have, such as `100/60s`: rows in a window. A key's own rate goes before it. */
  RATE_LIMIT: rateSchema.optional(),
  /** What all callers together may have of each model. */
  MODEL_RATE_LIMIT: rateSchema.optional(),
  /** How many proxies before this server append to `X-Forwarded-For`; 0 believes nothing in it. */
  TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
  /** Lambda: the DynamoDB table that counts for all environments. */
  RATE_LIMIT_TABLE: z.string().min(1).optional(),
  /** Node and Lambda: where limits are counted and predictions kept for all instances. */
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  /** How long answers are kept of models whose manifests do not say; 0 keeps none. */
  PREDICTION_CACHE_TTL_SECONDS: z.coerce.number().int().min(0).max(31_536_000).default(0),
  /** Node and Lambda without Redis: memory for kept answers. */
  PREDICTION_CACHE_MB: z.coerce.number().positive().default(32),
  /**
   * Ed25519 public keys in base64, separated by commas: only versions whose manifest one of them signed are
   * served. Absent: no signature is asked for.
   */
  TRUSTED_KEYS: list(
    z.string().refine(isPublicKey, "must be Ed25519 public keys in base64"),
  ).optional(),
  /** Web origins whose pages may call the service, separated by commas; `*` for all; none by default. */
  CORS_ORIGINS: list(z.union([z.literal("*"), webOrigin])).optional(),
  /** Whether every request leaves a line in the log. */
  ACCESS_LOG: z.stringbool().default(true),
  /** The model that `/invocations` asks when the request names none. */
  DEFAULT_MODEL: z.string().regex(NAME_PATTERN).optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8787),
  /** Node: the address to listen on. */
  HOST: z.string().min(1).default("127.0.0.1"),
});

const schema = variables.superRefine((value, context) =>
  checkAuth(value, (name, message) => context.addIssue({ code: "custom", path: [name], message })),
);

export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the configuration from environment variables, with the platform's own defaults.
 * Throws one Error that names every bad variable.
 */
export function readConfig(
  environment: Record<string, unknown>,
  defaults: Record<string, unknown>,
) {
  const names = Object.keys(variables.shape);
  // An empty variable is an unset one: that is how CI systems and shells pass "nothing". Not so trust: a secret
  // that expands to nothing must not mean that everything is trusted.
  const given = names
    .map((name) => [name, environment[name]] as const)
    .filter(([name, value]) => value !== undefined && (value !== "" || name === "TRUSTED_KEYS"));
  const result = schema.safeParse({ ...defaults, ...Object.fromEntries(given) });
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The configuration is not usable:\n${lines.join("\n")}`);
  }
  const value = result.data;
  return {
    store: value.STORE,
    s3: { endpoint: value.S3_ENDPOINT, forcePathStyle: value.S3_FORCE_PATH_STYLE },
    runtime: value.RUNTIME,
    threads: value.THREADS,
    workers: value.WORKERS,
    dynamicBatching: new Map(value.DYNAMIC_BATCHING),
    sessionBudgetBytes: Math.floor(value.SESSION_BUDGET_MB * MIB),
    cacheDirectory: value.CACHE_DIR,
    releaseTtlMs: value.RELEASE_TTL_SECONDS * 1000,
    storeTimeoutMs: value.STORE_TIMEOUT_MS,
    requestTimeoutMs: value.REQUEST_TIMEOUT_MS,
    maxConcurrency: value.MAX_CONCURRENCY,
    maxQueueMs: value.MAX_QUEUE_MS,
    corsOrigins: value.CORS_ORIGINS,
    trustedKeys: value.TRUSTED_KEYS,
    accessLog: value.ACCESS_LOG,
    limits: {
      bodyBytes: value.MAX_BODY_BYTES,
      batch: value.MAX_BATCH,
      textLength: value.MAX_TEXT_LENGTH,
      imagePixels: value.MAX_IMAGE_PIXELS,
    } satisfies Limits,
    rateLimit: value.RATE_LIMIT,
    modelRateLimit: value.MODEL_RATE_LIMIT,
    trustedProxies: value.TRUST_PROXY,
    rateLimitTable: value.RATE_LIMIT_TABLE,
    redisUrl: value.REDIS_URL,
    predictionCache: {
      ttlSeconds: value.PREDICTION_CACHE_TTL_SECONDS,
      bytes: Math.floor(value.PREDICTION_CACHE_MB * MIB),
    },
    defaultModel: value.DEFAULT_MODEL,
    auth: authSettings(value),
    host: value.HOST,
    port: value.PORT,
  };
}
