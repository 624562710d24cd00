import { expect, test } from "vitest";
import { readConfig } from "../functions/config.ts";
import { createPlatform } from "../functions/platform/cloudflare.ts";
import { createLambdaPlatform } from "../functions/platform/lambda.ts";
import { createNodePlatform } from "../functions/platform/node.ts";

const defaults = { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: 512 };

test("defaults hold where the environment is silent or empty", () => {
  const config = readConfig({ PORT: "", MAX_BATCH: undefined }, defaults);
  expect(config).toMatchObject({ store: "models", port: 8787, limits: { batch: 1000 } });
});

test("a trust that was meant and is empty stops the start", () => {
  expect(readConfig({}, defaults).trustedKeys).toBeUndefined();
  for (const keys of ["", " ", "no key", Buffer.alloc(31).toString("base64")])
    expect(() => readConfig({ TRUSTED_KEYS: keys }, defaults)).toThrow(/TRUSTED_KEYS/);
});

test("every variable that cannot be used is named in one message", () => {
  const bad = { PORT: "many", RUNTIME: "gpu", MAX_BATCH: "0", S3_FORCE_PATH_STYLE: "perhaps" };
  const read = () => readConfig(bad, defaults);
  for (const name of Object.keys(bad)) expect(read).toThrow(new RegExp(`^  ${name}: `, "m"));
});

test("models to batch are named with their most rows", () => {
  const config = readConfig({ DYNAMIC_BATCHING: "iris:32, search:16" }, defaults);
  expect([...config.dynamicBatching]).toEqual([
    ["iris", 32],
    ["search", 16],
  ]);
  for (const bad of ["iris", "iris:1", "iris:x", "ir is:2", "iris:2,", ":2"])
    expect(() => readConfig({ DYNAMIC_BATCHING: bad }, defaults)).toThrow(/DYNAMIC_BATCHING/);
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
});

test.each(["REQUEST_TIMEOUT_MS", "STORE_TIMEOUT_MS"])(
  "a %s that no timer can take is refused",
  (name) => expect(() => readConfig({ [name]: "9999999999" }, defaults)).toThrow(name),
);

const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
