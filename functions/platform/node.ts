import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
import { headerReader, readConnection } from "./read-connection.ts";
import { readConfig, type Config } from "../config.ts";
import { forwardedAddress } from "../limits/address.ts";
import { isLoopback } from "../loopback.ts";
import { isBatched, type Manifest } from "../model/manifest.ts";
import { createBatchingSession } from "../runtime/batching.ts";
import type { Store } from "../model/store.ts";
import type { ArtifactSource, Runtime, Session } from "../runtime/types.ts";
import { featureOpener } from "./features/open.ts";
import { createFileDecoders } from "./file-decoders.ts";
import type { GrpcBindings } from "./grpc-bindings.ts";
import { createFolderAssets } from "./folder-assets.ts";
import { createMemoryLimiter } from "../limits/memory-limiter.ts";
import { createMemoryNotes } from "../observe/feedback/memory-notes.ts";
import { createMemoryCounters } from "../observe/memory-counters.ts";
import { logLine, logSoon, lostLogLines } from "./log.ts";
import { readParameter } from "./parameter-store.ts";
import { processBytes } from "./process-bytes.ts";
import { sha256 } from "./sha256.ts";
import { openRedisServices } from "./redis-services.ts";
import { createImageThread } from "./start-image-thread.ts";
import { createQueueName } from "./queue/queue-name.ts";
import { createRedisQueue } from "./queue/redis.ts";
import { createSqliteQueue } from "./queue/sqlite.ts";
import { SESSION_BUDGETS_MB } from "./session-budgets.ts";
import { openRedis } from "./redis.ts";
import { createSqlite } from "./sqlite.ts";
import { createPlainStore } from "./plain-models/store.ts";
import { createSqliteStore } from "./store/sqlite.ts";
import { openStore } from "./store/open.ts";
import { createWebhookPost } from "./webhook-post.ts";
import { noCache } from "./folder-cache.ts";
import type { ArtifactCache, Platform, Schedule } from "./types.ts";

/** A long-running Node process: a folder or S3 as the store, native ONNX Runtime or `RUNTIME=wasm`. */
export function createNodePlatform(environment: NodeJS.ProcessEnv): Platform {
  const defaults = {
    STORE: "models",
    RUNTIME: "native",
    SESSION_BUDGET_MB: SESSION_BUDGETS_MB.node,
  };
  const config = readConfig(
    environment,
    { ...defaults, ...openToThisMachine(environment) },
    "node",
  );
  const { store, artifacts } = openModels(config);
  let runtime: Promise<Runtime> | undefined;
  const redis = openRedisServices(config, createSchedule(1000));
  const { limiter = createMemoryLimiter(), predictionCache } = redis;
  const { counters = createMemoryCounters(logLine) } = redis;
  const loadDecoder = createFileDecoders(findDecoder);
  return {
    name: "node",
    config,
    store,
    artifacts,
    runtime: () => (runtime ??= startRuntime(config)),
    prepareSession: (manifest, session) => batched(config, manifest, session),
    now: () => performance.now(),
    availableBytes: () => process.availableMemory(),
    ...(config.runtime === "native" && {
      processBytes: config.workers > 0 ? config.workerMemoryBytes : processBytes(),
    }),
    usage,
    sha256,
    readSecret: readParameter,
    turnEventLoop,
    // A request has no bindings when it did not come from the server, as with `app.request`.
    isClientGone: (bindings) => outgoingOf(bindings)?.destroyed ?? false,
    whenSent,
    trailersOf: (bindings) => (bindings as Partial<GrpcBindings> | undefined)?.sendTrailers,
    readConnection,
    headerReader,
    asset: createFolderAssets(() => join(packageFile(), "../dist/assets/docs")),
    loadDecoder,
    decodeElsewhere: createImageThread(loadDecoder),
    waitUntil(promise) {
      promise.catch((error: unknown) => logLine({ level: "error", message: String(error) }));
    },
    createSchedule,
    limiter,
    predictionCache,
    counters,
    notes: redis.notes ?? createMemoryNotes({ sha256, turnEventLoop }),
    clientAddress({ env, req }) {
      // Absent where the app is called without a server, as in tests.
      const bindings = env as Partial<HttpBindings> | undefined;
      const peer = bindings?.incoming?.socket.remoteAddress ?? "";
      return forwardedAddress(peer, req.header("x-forwarded-for"), config.trustedProxies);
    },
    ...openJobs(config, store),
    openFeatures: featureOpener(config),
    webhooks: createWebhookPost(),
    every(milliseconds, work) {
      setInterval(() => void work(), milliseconds).unref();
    },
    log: logSoon,
    lostLogLines,
  };
}

function openModels(config: Config): { store: Store; artifacts: ArtifactCache } {
  const { modelName, store, sessionBudgetBytes, trustedKeys } = config;
  if (modelName === undefined) return openStore(config);
  const plain = createPlainStore({
    folder: store,
    name: modelName,
    mostBytes: sessionBudgetBytes,
    needsSignatures: trustedKeys !== undefined,
    log: logLine,
  });
  return { store: plain, artifacts: noCache };
}

/** Jobs in the store with their queue in Redis, or both in a file, where this Node has SQLite. */
function openJobs(
  { redisUrl, jobsFile, jobsFileBytes, ...config }: Config,
  store: Store,
): Pick<Platform, "jobs"> {
  if (redisUrl) {
    // A connection of its own: what many jobs send does not delay what rates and kept answers do.
    const queue = createRedisQueue(openRedis(redisUrl), createQueueName(config, store), logLine);
    return { jobs: { store, ...queue } };
  }
  const sqlite = createSqlite(jobsFile, jobsFileBytes);
  return sqlite
    ? { jobs: { store: createSqliteStore(sqlite), ...createSqliteQueue(sqlite, logLine) } }
    : {};
}

function turnEventLoop(): Promise<void> {
  return setImmediate();
}

/** The timer keeps no process alive: a server sends the rest before it ends. */
function createSchedule(everyMs: number): Schedule {
  return function schedule(send) {
    setTimeout(() => void send(), everyMs).unref();
    return true;
  };
}

function usage() {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtSeconds: performance.timeOrigin / 1000,
  };
}

/** Finds it by the package's own name, which works from the sources and from the build. */
function packageFile(): string {
  return createRequire(import.meta.url).resolve("nearcast/package.json");
}

/** The decoders are dependencies of this package. The project that uses it may not find them itself. */
function findDecoder(file: string): string {
  return createRequire(packageFile()).resolve(file);
}

/** What the answer is written to. For HTTP/2 the stream tells its state, not Node's response. */
function outgoingOf(bindings: unknown): Duplex | ServerResponse | undefined {
  const { outgoing } = (bindings ?? {}) as Partial<HttpBindings | GrpcBindings>;
  return outgoing && "stream" in outgoing ? outgoing.stream : outgoing;
}

/** A request that did not come from the server has no bindings. Its answer is there after this turn. */
async function whenSent(bindings: unknown): Promise<void> {
  const outgoing = outgoingOf(bindings);
  if (outgoing && !outgoing.closed) await once(outgoing, "close");
  await setImmediate();
}

/** Joins runs if the configuration names this model and the first dimension of all its tensors is the batch. */
function batched({ dynamicBatching, workers }: Config, manifest: Manifest, session: Session) {
  const maxRows = dynamicBatching.get(manifest.name);
  if (maxRows === undefined) return session;
  if ([...manifest.inputs, ...manifest.outputs].every((tensor) => isBatched(manifest, tensor)))
    return createBatchingSession(session, { maxRows, parallel: Math.max(1, workers) });
  const message = `DYNAMIC_BATCHING: ${manifest.name} ${manifest.version} has a tensor whose first dimension is no batch of any size.`;
  logLine({ level: "error", message });
  return session;
}

/** Weights take up to three times their bytes while they load. The rest is for ONNX Runtime and its runs. */
const wasmMemoryBytes = (sessionBudgetBytes: number) => 4 * sessionBudgetBytes + 64 * 1024 * 1024;

/**
 * A server that only this machine can reach needs no key, unless one is configured. Behind a proxy, others can reach it
 * too.
 */
function openToThisMachine({ HOST, TRUST_PROXY, API_KEYS, JWT_ISSUER }: NodeJS.ProcessEnv) {
  const reached = (HOST && !isLoopback(HOST)) || (TRUST_PROXY && Number(TRUST_PROXY) !== 0);
  return !reached && !API_KEYS && !JWT_ISSUER ? { AUTH: "none" } : {};
}

async function startRuntime(config: Config): Promise<Runtime> {
  const { runtime, threads, workers, workerMemoryBytes, sessionBudgetBytes } = config;
  if (runtime === "native" && workers > 0) {
    const { createProcessPool } = await import("../runtime/process-pool.ts");
    return createProcessPool({
      workers,
      threads,
      memoryBytes: workerMemoryBytes,
      log: logLine,
    });
  }
  if (runtime === "native") {
    const { createNativeRuntime } = await import("../runtime/onnxruntime-node.ts");
    return createNativeRuntime({ threads });
  }
  const [{ createWebRuntime }, { compileModule, evaluateFactory }] = await Promise.all([
    import("../runtime/onnxruntime-web.ts"),
    import("../runtime/evaluate-factory.ts"),
  ]);
  const [createOrt, module] = await Promise.all([evaluateFactory(), compileModule()]);
  const maxMemoryBytes = wasmMemoryBytes(sessionBudgetBytes);
  const web = createWebRuntime({ createOrt, module, maxMemoryBytes });
  return {
    ...web,
    load: async (artifact, externalData = []) =>
      web.load(
        await inMemory(artifact),
        await Promise.all(
          externalData.map(async ({ name, source }) => ({ name, source: await inMemory(source) })),
        ),
      ),
  };
}

async function inMemory(source: ArtifactSource) {
  return "path" in source ? { bytes: await readFile(source.path) } : source;
}
