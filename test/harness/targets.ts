import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesOfModels } from "../../cli/local/models.ts";
import { lambdaDirectory } from "./build.ts";
import { withFullDisk } from "./full-disk.ts";
import { startLambda } from "../../cli/local/lambda.ts";
import { startNodeServer } from "./node-server.ts";
import { startS3 } from "../../cli/local/s3-server.ts";
import {
  startWorker,
  type Only,
  type Queues,
  type WorkerHarness,
  type WorkerHarnessOptions,
} from "./worker.ts";

const root = join(import.meta.dirname, "../..");
const BUCKET = "models";

/** How a stand-in for a store can behave. */
export type Behaviour =
  | "ok"
  | "down"
  | "unavailable"
  | "stall"
  | "slow"
  | "slow-body"
  | "garbage"
  | "truncate"
  | "forbidden";

/** The store of a target, for tests. */
export interface TargetStore {
  put: (key: string, bytes: Uint8Array | string) => Promise<void>;
  /** The texts of the objects whose keys begin with `prefix`, by key. */
  texts: (prefix: string) => Promise<Map<string, string>>;
  /** Sets the behaviour for the keys that match, or for all keys. */
  behave: (behaviour: Behaviour, keys?: RegExp, only?: Only) => void;
  /** The keys of all objects read so far. */
  gets: () => string[];
  /** The keys of all objects so far that somebody tried to write. */
  puts: () => string[];
  /** How many HEAD requests there were so far. */
  heads: () => number;
  /** How many lists were asked for so far. */
  lists: () => number;
}

/** The app, deployed to one platform. */
export interface Target {
  /** Only where clients connect directly. */
  url?: string;
  store: TargetStore;
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** A new cold process or isolate with an empty local tier over the same store, with these variables too. */
  restart: (env?: Record<string, string>) => Promise<void>;
  /** Workers: the bucket itself, past all behaviours. */
  bucket?: WorkerHarness["bucket"];
  /** Workers: what a cron trigger does. */
  scheduled?: () => Promise<void>;
  /** Workers: bytes that the isolate needs after a garbage collection, without WASM memory. */
  heapBytes?: () => Promise<number>;
  /** Workers: the names of workerd's own spans so far. */
  spans?: () => string[];
  logs: () => string;
  stop: () => Promise<void>;
}

export interface TargetOptions {
  /** Environment variables (Node, Lambda) or vars (Workers). An empty `AUTH` asks for authentication. */
  env?: Record<string, string>;
  /** The folder with the first files of the store. By default the shipped models. */
  models?: string;
  /** Node, Lambda: writes to files fail. */
  fullDisk?: boolean;
  /** Node: the path of another Node than the one that runs the tests. */
  node?: string;
  /** Workers: rate limiting bindings by name. */
  rateLimits?: WorkerHarnessOptions["rateLimits"];
  /** Workers: keep the names of workerd's own spans. */
  traced?: boolean;
  /** Workers: false where wrangler.toml binds no Durable Objects of models. */
  modelState?: boolean;
  /** Workers: the queues of wrangler.toml. */
  queues?: boolean;
}

export type StartTarget = (options?: TargetOptions) => Promise<Target>;

/** The platforms that every case runs on. `nodeWasm` is Node with the edge's runtime. */
export const targets: Record<"node" | "nodeWasm" | "worker" | "lambda", StartTarget> = {
  node: startNode,
  nodeWasm: (options) => startNode({ ...options, env: { RUNTIME: "wasm", ...options?.env } }),
  worker: startWorkerTarget,
  lambda: startLambdaTarget,
};

async function startNode(options: TargetOptions = {}): Promise<Target> {
  return startOverS3(options, async (env) => {
    const { fullDisk, node } = options;
    const server = await startNodeServer({ cwd: root, env, fullDisk, node });
    return {
      url: server.url,
      fetch: server.fetch,
      logs: () => server.logs,
      stop: async () => void (await server.stop()),
    };
  });
}

async function startLambdaTarget(options: TargetOptions = {}): Promise<Target> {
  return startOverS3(options, async (env) => {
    const lambda = await startLambda({
      directory: lambdaDirectory,
      handler: "index.handler",
      env,
      freeze: true,
      command: options.fullDisk ? withFullDisk : undefined,
    });
    return { fetch: lambda.fetch, logs: () => lambda.logs, stop: lambda.stop };
  });
}

type Process = Pick<Target, "url" | "fetch" | "logs" | "stop">;

/** A target with an S3 of its own. `start` gets the variables that name it. */
export async function startOverS3(
  options: TargetOptions,
  start: (env: Record<string, string>) => Promise<Process>,
): Promise<Target> {
  const s3 = await startS3({ buckets: [BUCKET] });
  for (const [key, bytes] of await packageContents(options.models)) s3.put(BUCKET, key, bytes);
  let temporary = "";
  let running: Process;
  const begin = async (env: Record<string, string> = {}): Promise<void> => {
    temporary = await mkdtemp(join(tmpdir(), "nearcast-test-"));
    running = await start({
      STORE: `s3://${BUCKET}`,
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: "true",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      TMPDIR: temporary,
      AUTH: "none",
      ...options.env,
      ...env,
    });
  };
  const end = async (): Promise<void> => {
    await running.stop();
    await rm(temporary, { recursive: true, force: true });
  };
  await begin();
  return {
    get url() {
      return running.url ?? "";
    },
    store: {
      put: async (key, bytes) => void s3.put(BUCKET, key, bytes),
      async texts(prefix) {
        const keys = s3.keys(BUCKET).filter((key) => key.startsWith(prefix));
        return new Map(keys.map((key) => [key, String(s3.get(BUCKET, key))]));
      },
      behave(behaviour, keys, { method: only, slowMs = 500 } = {}) {
        s3.slowMs = slowMs;
        if (!keys) return void ([s3.behaviour, s3.behaviourFor] = [behaviour, undefined]);
        s3.behaviourFor = (key, method) =>
          keys.test(key) && (only?.toUpperCase() ?? method) === method ? behaviour : undefined;
      },
      gets: () =>
        s3.requests
          .filter(({ method, key }) => method === "GET" && key !== "")
          .map(({ key }) => key),
      puts: () => s3.requests.filter(({ method }) => method === "PUT").map(({ key }) => key),
      heads: () => s3.requests.filter(({ method }) => method === "HEAD").length,
      lists: () => s3.requests.filter(({ method, key }) => method === "GET" && key === "").length,
    },
    fetch: (path, init) => running.fetch(path, init),
    logs: () => running.logs(),
    async restart(env) {
      await end();
      await begin(env);
    },
    async stop() {
      await end();
      await s3.close();
    },
  };
}

async function startWorkerTarget(options: TargetOptions = {}): Promise<Target> {
  const toml = await readFile(join(root, "wrangler.toml"), "utf8");
  const worker = await startWorker({
    directory: join(root, "dist/worker"),
    assets: join(root, "dist/assets"),
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(toml)?.[1] ?? "",
    vars: { AUTH: "none", ...options.env },
    modelState: options.modelState ?? true,
    ...(options.queues && { queues: await deployedQueues() }),
    traced: options.traced ?? false,
    ...(options.rateLimits && { rateLimits: options.rateLimits }),
  });
  for (const [key, bytes] of await packageContents(options.models)) await worker.put(key, bytes);
  const keysOf = (asked: string) =>
    worker
      .storeRequests()
      .filter(({ method }) => method === asked)
      .map(({ key }) => key);
  return {
    url: worker.url,
    store: {
      put: async (key, bytes) => void (await worker.put(key, bytes)),
      texts: (prefix) => worker.texts(prefix),
      behave: worker.setBehaviour,
      gets: () => keysOf("get"),
      puts: () => keysOf("put"),
      heads: () => worker.storeRequests().filter(({ method }) => method === "head").length,
      lists: () => worker.storeRequests().filter(({ method }) => method === "list").length,
    },
    fetch: worker.fetch,
    logs: () => worker.logs,
    spans: worker.spans,
    bucket: worker.bucket,
    scheduled: worker.scheduled,
    restart: worker.restart,
    heapBytes: worker.heapBytes,
    stop: worker.stop,
  };
}

/** The queues that wrangler.toml has. */
export async function deployedQueues(): Promise<Queues> {
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config: join(root, "wrangler.toml") }).queues;
}

async function packageContents(folder = join(root, "models")): Promise<[string, Buffer][]> {
  const keys = await filesOfModels(folder);
  return Promise.all(
    keys.map(async (key) => [key, await readFile(join(folder, key))] as [string, Buffer]),
  );
}
