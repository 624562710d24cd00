import type {
  AnalyticsEngineDataset,
  DurableObjectNamespace,
  Fetcher,
  R2Bucket,
} from "@cloudflare/workers-types";
import { readConfig, type Config } from "../config.ts";
import { digest } from "../digest.ts";
import type { Rate } from "../limits/rate.ts";
import type { Store } from "../model/store.ts";
import type { Counters } from "../observe/counters.ts";
import type { Spans } from "../observe/phases.ts";
import type { Observing } from "../observe/observer.ts";
import { createMemoryNotes } from "../observe/feedback/memory-notes.ts";
import { createSharedNotes, type Notes } from "../observe/feedback/notes.ts";
import { createMemoryCounters } from "../observe/memory-counters.ts";
import type { CreateOrt } from "../runtime/onnxruntime-web-factory.ts";
import { SESSION_BUDGETS_MB, WORKER_ISOLATE } from "./session-budgets.ts";
import { withoutFailures } from "./cache/without-failures.ts";
import { createAnalyticsPoints } from "./analytics-points.ts";
import { createObjectCounters, type CountingObject } from "./counters/durable-object.ts";
import { createGatheredCounters } from "./counters/gathered.ts";
import { createEdgeArtifactCache, createEdgePredictionCache } from "./edge-cache.ts";
import { boundFeatures } from "./features/bindings.ts";
import { createBindingLimiter } from "./limiter/binding.ts";
import { withFallback } from "./limiter/with-fallback.ts";
import { createWebRuntime } from "../runtime/onnxruntime-web.ts";
import type { LoadDecoder } from "../tasks/image/formats.ts";
import { withPackaged, type PackagedModel } from "./packaged-modules.ts";
import { createObjectNotes, type NotingObject } from "./notes/durable-object.ts";
import { createCloudflareQueue, type HandOut, type QueueBinding } from "./queue/cloudflare.ts";
import { createR2Store } from "./store/r2.ts";
import { webhookFetch } from "./webhook-fetch.ts";
import { parseStoreUrl } from "./store/url.ts";
import { VERSION } from "../version.ts";
import type { Platform, Schedule } from "./types.ts";

interface CloudflareParts {
  env: Record<string, unknown>;
  waitUntil: (promise: Promise<unknown>) => void;
  spans?: Spans;
  wasm: WebAssembly.Module;
  createOrt: CreateOrt;
  loadDecoder: LoadDecoder;
  packaged?: readonly PackagedModel[];
}

/** What waits so long begins after the answer has left the isolate. */
const SENDING_MS = 20;

export interface CloudflarePlatform extends Platform, Observing {
  /**
   * Runs the jobs of a batch of messages. The Worker's default export has it as `queue`, which Cloudflare Queues calls.
   * Rejects where the Worker binds no queue, or has made no app of this platform.
   */
  queue: HandOut;
}

/** An invocation by a queue has 15 minutes. */
const LONGEST_JOB_MS = 14 * 60_000;

/** Cloudflare Workers: R2 as the store, the Cache API as the local tier, the WASM runtime. */
export function createPlatform(parts: CloudflareParts): CloudflarePlatform {
  const { env, waitUntil, spans, wasm, createOrt, loadDecoder, packaged = [] } = parts;
  const defaults = {
    STORE: "r2://MODELS",
    RUNTIME: "wasm",
    SESSION_BUDGET_MB: SESSION_BUDGETS_MB.cloudflare,
    // Decoding a progressive JPEG takes up to 16 bytes a pixel.
    MAX_IMAGE_PIXELS: 2_000_000,
    // Each is 64 kB at 16 kHz, two or three times until the model has run.
    MAX_AUDIO_SECONDS: 60,
    MAX_CONCURRENCY: 256,
    // An isolate's 128 MB hold the numbers, their JSON, its bytes and the model at the same time.
    MAX_ANSWER_BYTES: 8 * 1024 * 1024,
    BODY_BUDGET_MB: 32,
    // Cloudflare takes bodies of up to 100 MB, more on its largest plans.
    MAX_FILE_BYTES: 100_000_000,
  };
  const config = readConfig(env, defaults, "cloudflare");
  if (config.auth.mode === "required" && config.auth.apiKeys && "secretName" in config.auth.apiKeys)
    throw new Error(
      "API_KEYS must be the keys themselves on Workers: wrangler secret put API_KEYS",
    );
  if ("secretName" in config.webhooks.secrets)
    throw new Error(
      "WEBHOOK_SECRET must be the secret itself on Workers: wrangler secret put WEBHOOK_SECRET",
    );
  if (config.spill.secrets && "secretName" in config.spill.secrets)
    throw new Error(
      "SPILL_SECRET must be the secret itself on Workers: wrangler secret put SPILL_SECRET",
    );
  const { protocol, bucket, prefix } = parseStoreUrl(config.store);
  const binding = env[bucket] as R2Bucket | undefined;
  if (protocol !== "r2:" || !binding)
    throw new Error(
      `STORE must be r2://BINDING/prefix with a bound R2 bucket, not ${config.store}`,
    );
  if (config.jobTimeoutMs > LONGEST_JOB_MS)
    throw new Error(
      `JOB_TIMEOUT_MS must be at most ${LONGEST_JOB_MS} on Workers, not ${config.jobTimeoutMs}: Cloudflare ends a queue's consumer after 15 minutes.`,
    );
  const store = createR2Store(binding, prefix);
  const queued = openJobs(env, store);
  const dataset = env["ANALYTICS"] as AnalyticsEngineDataset | undefined;
  const runtime = createWebRuntime({
    createOrt,
    module: wasm,
    maxMemoryBytes: WORKER_ISOLATE.wasmBytes,
  });
  return {
    name: "cloudflare",
    config,
    store,
    artifacts: withPackaged(packaged, createEdgeArtifactCache(waitUntil)),
    expected: new Map(packaged.map(({ manifest }) => [manifest.name, manifest.version])),
    anticipated: new Map(packaged.map(({ manifest }) => [manifest.name, JSON.stringify(manifest)])),
    runtime: async () => runtime,
    isolate: WORKER_ISOLATE,
    // workerd warns when one request settles another's promise, and may hang.
    isolatesRequests: true,
    waitUntil,
    ...(spans && { spans }),
    // The handler gives its answer to the runtime in the same turn of the event loop.
    whenSent: () => new Promise((resolve) => void setTimeout(resolve, SENDING_MS)),
    createSchedule: (everyMs) => sendAfterRequests(waitUntil, everyMs),
    sha256,
    readSecret: async () => undefined,
    async asset(name) {
      const assets = env["ASSETS"] as Fetcher | undefined;
      const found = await assets?.fetch(`https://assets.nearcast.invalid/docs/${name}`);
      if (!found?.ok) return undefined;
      const etag = found.headers.get("etag") ?? `W/"${VERSION}"`;
      // Cloudflare's edge compresses answers.
      return { body: found.body as unknown as ReadableStream, etag, isGzip: false };
    },
    loadDecoder,
    limiter: withFallback(createBindingLimiter(env, ratesOf(config)), log),
    counters: openCounters(env, waitUntil),
    notes: openNotes(env),
    openFeatures: boundFeatures(config.featureSources, env),
    webhooks: webhookFetch,
    predictionCache: withoutFailures(createEdgePredictionCache(), log),
    observer: dataset && createAnalyticsPoints(dataset),
    ...queued,
    clientAddress: ({ req }) => req.header("cf-connecting-ip") ?? "",
    log,
  };
}

const sha256 = (text: string) => digest(new TextEncoder().encode(text));

// Workers Logs can search by the members of a JSON line.
const log: Platform["log"] = (entry) =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));

/** Jobs in the bucket of the models. A rule of the bucket removes them after their time. */
function openJobs(
  env: CloudflareParts["env"],
  store: Store,
): Pick<CloudflarePlatform, "jobs" | "queue"> {
  const binding = env["JOBS"] as QueueBinding | undefined;
  if (!binding)
    return { queue: () => Promise.reject(new Error("The Worker binds no queue as JOBS.")) };
  if (typeof binding.send !== "function")
    throw new Error("JOBS must be a queue that [[queues.producers]] of wrangler.toml binds.");
  const { handOut, ...queue } = createCloudflareQueue(binding);
  return { jobs: { store, storeExpires: true, ...queue }, queue: handOut };
}

/** Counts in the Durable Objects that are bound, with one message a second for each model. */
function openCounters(env: CloudflareParts["env"], waitUntil: Platform["waitUntil"]): Counters {
  const objects = env["MODEL_STATE"] as DurableObjectNamespace<CountingObject> | undefined;
  if (!objects) {
    const message =
      "Each isolate counts for itself: wrangler.toml binds no MODEL_STATE (docs/operating.md has the lines).";
    return createMemoryCounters(log, { atFirst: () => log({ level: "warn", message }) });
  }
  return createGatheredCounters(createObjectCounters(objects), {
    log,
    schedule: sendAfterRequests(waitUntil, 1000),
    isolatesRequests: true,
  });
}

function openNotes(env: CloudflareParts["env"]): Notes {
  const objects = env["MODEL_STATE"] as DurableObjectNamespace<NotingObject> | undefined;
  return objects
    ? createSharedNotes(createObjectNotes(objects), sha256)
    : createMemoryNotes({ sha256 });
}

/** After an answer, a request's context has 30 s. Some of it is left for sending. */
const LONGEST_WAIT_MS = 20_000;

/** Sends after a request's answer, within the time that the request's context then still has. */
function sendAfterRequests(waitUntil: Platform["waitUntil"], everyMs: number): Schedule {
  const waitMs = Math.min(everyMs, LONGEST_WAIT_MS);
  return function schedule(send) {
    try {
      waitUntil(new Promise((resolve) => setTimeout(resolve, waitMs)).then(send));
      return true;
    } catch {
      // There is no request that the work could belong to.
      return false;
    }
  };
}

/** All configured rates, including those of single keys. */
function ratesOf({ rateLimit, modelRateLimit, auth }: Config): (Rate | undefined)[] {
  const keys =
    auth.mode === "required" && auth.apiKeys && !("secretName" in auth.apiKeys) ? auth.apiKeys : [];
  return [rateLimit, modelRateLimit, ...keys.map(({ rate }) => rate)];
}
