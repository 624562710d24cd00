import { basename, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { LambdaEvent } from "hono/aws-lambda";
import { readConfig, type Config } from "../config.ts";
import type { Runtime } from "../runtime/types.ts";
import { within } from "../within.ts";
import { SESSION_BUDGETS_MB } from "./session-budgets.ts";
import { createDynamodbCounters } from "./counters/dynamodb.ts";
import { createGatheredCounters } from "./counters/gathered.ts";
import { createEmbeddedMetrics } from "./embedded-metrics.ts";
import { featureOpener } from "./features/open.ts";
import { createFileDecoders } from "./file-decoders.ts";
import { createFolderAssets } from "./folder-assets.ts";
import { createDynamodbLimiter } from "./limiter/dynamodb.ts";
import { createMemoryLimiter } from "../limits/memory-limiter.ts";
import { withFallback } from "./limiter/with-fallback.ts";
import { callerAddress } from "./lambda-event.ts";
import { hasLostBytes } from "./lambda-body.ts";
import { openJobs, type RunJobs } from "./lambda-jobs.ts";
import type { Counters } from "../observe/counters.ts";
import type { Observing } from "../observe/observer.ts";
import { createMemoryNotes } from "../observe/feedback/memory-notes.ts";
import { createSharedNotes, type Notes } from "../observe/feedback/notes.ts";
import { createMemoryCounters } from "../observe/memory-counters.ts";
import { logLine } from "./log.ts";
import { openPackaged } from "./packaged-folder.ts";
import { createDynamodbNotes } from "./notes/dynamodb.ts";
import { readParameter } from "./parameter-store.ts";
import { processBytes } from "./process-bytes.ts";
import { sha256 } from "./sha256.ts";
import { openRedisServices } from "./redis-services.ts";
import { openStore } from "./store/open.ts";
import { createWebhookPost } from "./webhook-post.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Platform, Schedule } from "./types.ts";

export interface LambdaPlatform extends Platform, Observing {
  /**
   * Settles when all promises given to `waitUntil` have settled, or after a short time. Lambda then sends the answer
   * and freezes the process. Unfinished work goes on when the next request thaws it.
   */
  settled(): Promise<void>;
  runJobs: RunJobs;
}

/** The function for jobs in serverless.yml has 20 seconds more, to read and to write. */
export const JOB_TIMEOUT_MS = 100_000;

/** How long an answer waits for background work, such as reading an issuer's keys again. */
const SETTLING_MS = 250;

/** AWS Lambda: S3 (or a folder in the package) as the store, `/tmp` as the local tier, native runtime. */
export function createLambdaPlatform(environment: NodeJS.ProcessEnv): LambdaPlatform {
  const defaults = {
    RUNTIME: "native",
    SESSION_BUDGET_MB: SESSION_BUDGETS_MB.lambda,
    // `/tmp` has 512 MB.
    CACHE_DIR_MB: 400,
    // One second less than the function's time-out in serverless.yml.
    REQUEST_TIMEOUT_MS: 28_000,
    JOB_TIMEOUT_MS,
    // Lambda takes events of up to 6 MB, and a binary body is base64 in them.
    MAX_BODY_BYTES: 4_500_000,
    MAX_FILE_BYTES: 4_500_000,
    // Answers have the same limit.
    MAX_ANSWER_BYTES: 4_500_000,
  };
  const config = readConfig(environment, defaults, "lambda");
  const { store, artifacts } = openStore(config);
  // The package has it beside the handler.
  const packaged = openPackaged(join(import.meta.dirname, "packaged"));
  const pending = new Set<Promise<unknown>>();
  const waitUntil: Platform["waitUntil"] = (promise) => {
    const logged = promise
      .catch((error: unknown) => logLine({ level: "error", message: String(error) }))
      .finally(() => pending.delete(logged));
    pending.add(logged);
  };
  async function settled(): Promise<void> {
    if (pending.size > 0) await within(Promise.all(pending), SETTLING_MS, () => undefined);
  }
  const createSchedule = (everyMs: number) => sendWithRequests(waitUntil, everyMs);
  const schedule = createSchedule(1000);
  const redis = openRedisServices(config, schedule);
  const { limiter = openLimiter(config), predictionCache } = redis;
  const { counters = openCounters(config, schedule) } = redis;
  const jobs = openJobs(config, store);
  // Lambda's init phase has a whole processor, whatever memory the function has.
  const runtime = startRuntime(config.threads);
  // A call that loads a model gets the error.
  runtime.catch(() => undefined);
  return {
    name: "lambda",
    config,
    store,
    artifacts: packaged.before(artifacts),
    expected: packaged.versions,
    runtime: () => runtime,
    now: () => performance.now(),
    availableBytes: () => process.availableMemory(),
    processBytes: processBytes(),
    sha256,
    readSecret: readParameter,
    // The package has these files beside the handler.
    asset: createFolderAssets(() => join(import.meta.dirname, "docs")),
    hasLostBytes({ env }) {
      const event = eventOf(env);
      return event !== undefined && hasLostBytes(event);
    },
    loadDecoder: createFileDecoders((file) =>
      join(import.meta.dirname, "decoders", basename(file)),
    ),
    answersWhole: true,
    waitUntil,
    createSchedule,
    settled,
    limiter,
    countsPerInstance: !config.rateLimitTable && !config.redisUrl,
    predictionCache,
    counters,
    notes: redis.notes ?? openNotes(config),
    openFeatures: featureOpener(config),
    webhooks: createWebhookPost(),
    clientAddress({ env }) {
      const event = eventOf(env);
      return event ? callerAddress(event, config.trustedProxies) : "";
    },
    ...jobs,
    async runJobs(event, context) {
      const result = await jobs.runJobs(event, context);
      await settled();
      return result;
    },
    observer: config.embeddedMetrics ? createEmbeddedMetrics(logLine) : undefined,
    log: logLine,
  };
}

/** The event of a client's request. The request of a job has none. */
function eventOf(bindings: unknown): LambdaEvent | undefined {
  return (bindings as { event?: LambdaEvent } | undefined)?.event;
}

function openLimiter({ rateLimit, modelRateLimit, rateLimitTable }: Config): Limiter {
  const limited = rateLimit !== undefined || modelRateLimit !== undefined;
  if (rateLimitTable) {
    const start = limited ? "now" : "with the first take";
    return withFallback(createDynamodbLimiter(rateLimitTable, { start }), logLine);
  }
  if (limited)
    throw new Error(
      "RATE_LIMIT and MODEL_RATE_LIMIT need RATE_LIMIT_TABLE or REDIS_URL on Lambda, where every environment would count for itself",
    );
  return createMemoryLimiter();
}

function openCounters({ rateLimitTable }: Config, schedule: Schedule): Counters {
  if (!rateLimitTable) return createMemoryCounters(logLine);
  return createGatheredCounters(createDynamodbCounters(rateLimitTable), { log: logLine, schedule });
}

function openNotes({ rateLimitTable }: Config): Notes {
  return rateLimitTable
    ? createSharedNotes(createDynamodbNotes(rateLimitTable), sha256)
    : createMemoryNotes({ sha256 });
}

/**
 * Sends with a request, at most once in this time, before Lambda freezes the process after its answer. What a request adds
 * sooner waits for a later one. It is lost if the environment ends before.
 */
function sendWithRequests(waitUntil: Platform["waitUntil"], everyMs: number): Schedule {
  let sentAt = -Infinity;
  return function schedule(send) {
    if (performance.now() - sentAt < everyMs) return false;
    sentAt = performance.now();
    // What the rest of this turn adds goes too.
    waitUntil(setImmediate().then(send));
    return true;
  };
}

async function startRuntime(threads: number): Promise<Runtime> {
  const { createNativeRuntime } = await import("../runtime/onnxruntime-node.ts");
  return createNativeRuntime({ threads });
}
