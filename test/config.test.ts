import { expect, test } from "vitest";
import { readConfig, readRolloutWatchMs } from "../functions/config.ts";
import type { ConfigurationError } from "../functions/config-problems.ts";
import type { PlatformName } from "../functions/variable.ts";
import { createPlatform } from "../functions/platform/cloudflare.ts";
import { createLambdaPlatform } from "../functions/platform/lambda.ts";
import { createNodePlatform } from "../functions/platform/node.ts";

const defaults = { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: 512 };

test("defaults hold where the environment is silent or empty", () => {
  const config = readConfig({ PORT: "", MAX_BATCH: undefined }, defaults, "node");
  expect(config).toMatchObject({ store: "models", port: 8787, limits: { batch: 1000 } });
});

test("a trust that was meant and is empty stops the start", () => {
  expect(readConfig({}, defaults, "node").trustedKeys).toBeUndefined();
  for (const keys of ["", " ", "no key", Buffer.alloc(31).toString("base64")])
    expect(() => readConfig({ TRUSTED_KEYS: keys }, defaults, "node")).toThrow(/TRUSTED_KEYS/);
});

test("every variable that cannot be used is named in one message", () => {
  const bad = { PORT: "many", RUNTIME: "gpu", MAX_BATCH: "0", S3_FORCE_PATH_STYLE: "perhaps" };
  const read = () => readConfig(bad, defaults, "node");
  for (const name of Object.keys(bad)) expect(read).toThrow(new RegExp(`^  ${name}: `, "m"));
});

test("models to batch are named with their most rows", () => {
  const config = readConfig({ DYNAMIC_BATCHING: "iris:32, search:16" }, defaults, "node");
  expect([...config.dynamicBatching]).toEqual([
    ["iris", 32],
    ["search", 16],
  ]);
  for (const bad of ["iris", "iris:1", "iris:x", "ir is:2", "iris:2,", ":2"])
    expect(() => readConfig({ DYNAMIC_BATCHING: bad }, defaults, "node")).toThrow(
      /DYNAMIC_BATCHING/,
    );
});

test.each([
  [{ PORT: "many" }, 'PORT: must be a whole number from 0 to 65535, not "many"'],
  [{ PORT: "-1" }, 'PORT: must be a whole number from 0 to 65535, not "-1"'],
  [{ MAX_BATCH: "1.5" }, 'MAX_BATCH: must be a whole number from 1 on, not "1.5"'],
  [{ SESSION_BUDGET_MB: "0" }, 'SESSION_BUDGET_MB: must be a number above 0, not "0"'],
  [{ RUNTIME: "gpu" }, 'RUNTIME: must be native or wasm, not "gpu"'],
  [{ ACCESS_LOG: "maybe" }, 'ACCESS_LOG: must be true or false, not "maybe"'],
  [{ RATE_LIMIT: "100" }, 'RATE_LIMIT: must be like 100/60s: units in seconds, not "100"'],
  [
    { DYNAMIC_BATCHING: "iris" },
    "DYNAMIC_BATCHING.0: must be a model with its most rows, like iris:32",
  ],
  [
    { CORS_ORIGINS: "example.com" },
    "CORS_ORIGINS.0: must be an origin like https://example.com, or *",
  ],
  [{ WORKERS: "2", RUNTIME: "wasm" }, "WORKERS: needs RUNTIME=native"],
  // Neither a password nor a key goes into a log.
  [
    { REDIS_URL: "http://:secret@redis" },
    "REDIS_URL: must be like redis://host:6379, or rediss://",
  ],
  [{ API_KEYS: "secret" }, "API_KEYS: must be a JSON array of keys"],
])("%j is one line that says what is allowed", (environment, line) => {
  expect(problemsOf(environment)).toEqual([line]);
});

function problemsOf(environment: Record<string, unknown>, platform: PlatformName = "node") {
  try {
    readConfig(environment, defaults, platform);
    return [];
  } catch (error) {
    return (error as ConfigurationError).problems;
  }
}

test.each([undefined, "", "10", 10, "0", 0])("how often rollouts are looked at: %j", (value) => {
  expect(readRolloutWatchMs({ ROLLOUT_WATCH_SECONDS: value })).toBe(
    readConfig({ ROLLOUT_WATCH_SECONDS: value }, defaults, "node").rolloutWatchMs,
  );
});

test.each(["often", "-1", "1.5"])("%s is not how often rollouts are looked at", (value) => {
  const environment = { ROLLOUT_WATCH_SECONDS: value };
  const [line = ""] = problemsOf(environment, "cloudflare");
  expect(line).toMatch(/^ROLLOUT_WATCH_SECONDS: must be a whole number/);
  expect(() => readRolloutWatchMs(environment)).toThrow(line);
});

test.each([
  ["RATE_LIMT", "RATE_LIMIT"],
  ["RATE_LIMTI", "RATE_LIMIT"],
  ["RATE_LIMITS", "RATE_LIMIT"],
  ["rate_limit", "RATE_LIMIT"],
  ["REDIS_ULR", "REDIS_URL"],
  ["API_KYES", "API_KEYS"],
  ["APIKEYS", "API_KEYS"],
  ["WORKRES", "WORKERS"],
  ["CORS_ORIGIN", "CORS_ORIGINS"],
  ["JWT_JWKS_URI", "JWT_JWKS_URL"],
  ["TRUSTED_KEY", "TRUSTED_KEYS"],
])("%s is refused with the right name", (name, meant) => {
  expect(problemsOf({ [name]: "1" })).toEqual([
    `${name} is not a variable of Nearcast: did you mean ${meant}?`,
  ]);
});

test("names of others, bindings and what is empty are no misspellings", () => {
  const names =
    "PORTS HOSTS HOSTNAME STORES AUTH_URL OAUTH XPORT HTTP_PROXY API_KEY CCACHE_DIR PAGE_LIMIT NTHREADS " +
    "HF_CACHE_DIR REDIS_PORT REDIS_HOST AWS_ENDPOINT_URL_S3 RATE_LIMIT_100_60 MODELS ASSETS TIME_LIMIT " +
    "WORKERS_PORT STORE_SERVICE_HOST RUNTIME_DIR XDG_RUNTIME_DIR MAX_PATH NODE_ENV";
  expect(problemsOf(Object.fromEntries(names.split(" ").map((name) => [name, "1"])))).toEqual([]);
  expect(problemsOf({ RATE_LIMT: "" })).toEqual([]);
  expect(problemsOf({ RATE_LIMITS: { limit: () => undefined } }, "cloudflare")).toEqual([]);
  // Whoever sets the right name means it, and something else by the other.
  expect(problemsOf({ CORS_ORIGIN: "x", CORS_ORIGINS: "https://a.test" })).toEqual([]);
});

test("a variable is refused where it does nothing, unless it says what is so anyway", () => {
  expect(problemsOf({ WORKERS: "0", HOST: "0.0.0.0", MAX_QUEUE_MS: "50" }, "lambda")).toEqual([]);
  expect(problemsOf({ WORKERS: "2" }, "lambda")).toEqual(["WORKERS: is for Node, not for Lambda"]);
  expect(problemsOf({ RATE_LIMIT_TABLE: "limits" }, "node")).toEqual([
    "RATE_LIMIT_TABLE: is for Lambda, not for Node, where REDIS_URL counts for all instances",
  ]);
  const ignored = {
    CACHE_DIR: "/tmp",
    S3_ENDPOINT: "http://a.test",
    THREADS: "2",
    TRUST_PROXY: "1",
  };
  expect(problemsOf({ ...ignored, RUNTIME: "wasm" }, "cloudflare")).toHaveLength(4);
  expect(problemsOf({ RUNTIME: "wasm" }, "lambda")).toEqual(["RUNTIME: must be native on Lambda"]);
});

test("a platform refuses what it cannot do", () => {
  expect(() => createNodePlatform({ STORE: "r2://MODELS" })).toThrow(/STORE/);
  expect(() => createNodePlatform({ STORE: "s3://" })).toThrow(/STORE/);
  expect(() => createLambdaPlatform({})).toThrow(/STORE/);
  expect(() => createLambdaPlatform({ STORE: "s3://b", RUNTIME: "wasm" })).toThrow(/RUNTIME/);
  const batching = { STORE: "s3://b", DYNAMIC_BATCHING: "iris:32" };
  expect(() => createLambdaPlatform(batching)).toThrow(/DYNAMIC_BATCHING/);
  expect(() => createLambdaPlatform({ STORE: "s3://b", WORKERS: "2" })).toThrow(/WORKERS/);
  expect(() => createNodePlatform({ RUNTIME: "wasm", WORKERS: "2" })).toThrow(/WORKERS/);
  expect(() => createNodePlatform({ RATE_LIMIT_TABLE: "limits" })).toThrow(/REDIS_URL/);
  const parts = {
    waitUntil: () => undefined,
    wasm: new WebAssembly.Module(EMPTY_WASM),
    createOrt: () => ({}) as never,
    loadDecoder: () => Promise.reject(new Error("no decoder")),
  };
  expect(() => createPlatform({ ...parts, env: {} })).toThrow(/STORE/);
  expect(() => createPlatform({ ...parts, env: { RUNTIME: "native" } })).toThrow(/RUNTIME/);
  for (const ignored of [
    { WORKERS: "2" },
    { REDIS_URL: "redis://redis" },
    { RATE_LIMIT_TABLE: "limits" },
  ]) {
    const env = { STORE: "r2://MODELS", ...ignored };
    expect(() => createPlatform({ ...parts, env })).toThrow(Object.keys(ignored)[0]);
  }
  for (const wrong of [{ JOBS: "no-queue" }, { JOB_TIMEOUT_MS: "900000" }]) {
    const env = { MODELS: {}, ...wrong };
    expect(() => createPlatform({ ...parts, env })).toThrow(Object.keys(wrong)[0]);
  }
});

test.each(["REQUEST_TIMEOUT_MS", "STORE_TIMEOUT_MS"])(
  "a %s that no timer can take is refused",
  (name) => expect(() => readConfig({ [name]: "9999999999" }, defaults, "node")).toThrow(name),
);

const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
