import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { heapBytes } from "./heap.ts";
import {
  Log,
  LogLevel,
  Miniflare,
  type MiniflareOptions,
  type WorkerOptions,
  Response as ControlResponse,
} from "miniflare";

/**
 * `down` and `unavailable` fail with R2's internal error. `stall` never answers. `slow` answers after half a second. `slow-body` stops
 * half way through an object. `garbage` and `truncate` serve a damaged object.
 */
export type StoreBehaviour =
  | "ok"
  | "down"
  | "unavailable"
  | "stall"
  | "slow"
  | "slow-body"
  | "garbage"
  | "truncate"
  | "forbidden";

/** What a behaviour is for, in small letters: `put`. And how long `slow` takes. */
export interface Only {
  method?: "get" | "put";
  slowMs?: number;
}

export interface StoreRequest {
  method: string;
  key: string;
}

export interface WorkerHarnessOptions {
  /** The output of `wrangler deploy --dry-run --outdir`. */
  directory: string;
  /** The entry module. By default the only .js file of the directory. */
  entry?: string;
  vars?: Record<string, string>;
  compatibilityDate: string;
  compatibilityFlags?: string[];
  /** The folder of static assets, bound as ASSETS. */
  assets?: string;
  /** Rate limiting bindings by name. A period is 10 or 60 seconds. */
  rateLimits?: Record<string, { limit: number; period: 10 | 60 }>;
  /** Whether the Durable Objects of models are bound, as wrangler.toml does. */
  modelState?: boolean;
  /** A namespace of Workers KV, by the binding's name. It can be `down` and `slow`, by the key `kv`. */
  kv?: string;
  /** Databases of Postgres behind Hyperdrive: their URLs by the bindings' names. */
  hyperdrive?: Record<string, string>;
  /** The queues that the Worker is sent to and gets, as wrangler.toml has them. */
  queues?: Queues;
  /** Functions of the test's process that the Worker can fetch, by the binding's name. */
  fetchers?: Record<string, Fetcher>;
  /** The R2 binding's name. */
  binding?: string;
  /** Keeps the names of spans that workerd's tracing tells of. */
  traced?: boolean;
  /** `plain` binds the bucket directly, without behaviours and request log. */
  store?: "controlled" | "plain";
}

/** Queues as wrangler reads them from wrangler.toml. */
export interface Queues {
  producers?: { binding: string; queue?: string | undefined }[] | undefined;
  consumers?:
    | {
        queue?: string | undefined;
        dead_letter_queue?: string | undefined;
        max_batch_size?: number | undefined;
        max_batch_timeout?: number | undefined;
        max_retries?: number | undefined;
        retry_delay?: number | undefined;
      }[]
    | undefined;
}

type Fetcher = (request: { url: string }) => Promise<ControlResponse>;

export interface WorkerHarness {
  /** A real port on loopback. Restarts keep it. */
  readonly url: string;
  readonly logs: string;
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  put: (key: string, bytes: Uint8Array | string) => Promise<string>;
  get: (key: string) => Promise<Buffer | undefined>;
  /** The texts of the objects whose keys begin with `prefix`, by key. A thousand at most. */
  texts: (prefix: string) => Promise<Map<string, string>>;
  /** Sets the behaviour for the keys that match. Without a pattern it is set for all keys and replaces earlier patterns. */
  setBehaviour: (behaviour: StoreBehaviour, keyPattern?: RegExp, only?: Only) => void;
  /** The bucket, past all behaviours. */
  bucket: () => ReturnType<Miniflare["getR2Bucket"]>;
  /** The namespace of Workers KV that is bound, past all behaviours. */
  kv: () => ReturnType<Miniflare["getKVNamespace"]>;
  storeRequests: () => StoreRequest[];
  /** What a cron trigger does. */
  scheduled: () => Promise<void>;
  /** A fresh isolate over the same bucket and the same objects, with these vars too. */
  restart: (vars?: Record<string, string>) => Promise<void>;
  /** Bytes that the isolate needs after a garbage collection. The process keeps much more. */
  heapBytes: () => Promise<number>;
  /** The names of all spans so far. */
  spans: () => string[];
  stop: () => Promise<void>;
}

type ModuleType = NonNullable<WorkerOptions["config"]["manifest"]>["modules"][string]["type"];
const moduleTypes: Record<string, ModuleType> = {
  ".js": "esm",
  ".mjs": "esm",
  ".wasm": "wasm",
  ".bin": "data",
  ".onnx": "data",
  ".txt": "text",
};
const plugin = {
  package: fileURLToPath(new URL("through-worker.ts", import.meta.url)),
  name: "through-worker",
};
const faults = new URL("r2-faults.js", import.meta.url);

/** Runs a built Worker in workerd. */
export async function startWorker(options: WorkerHarnessOptions): Promise<WorkerHarness> {
  const requests: StoreRequest[] = [];
  let rules: { pattern: RegExp; behaviour: StoreBehaviour; only: Only }[] = [];
  let logs = "";
  const spans: string[] = [];
  const stopping = new AbortController();

  const control = async (request: { url: string }): Promise<ControlResponse> => {
    const { pathname, searchParams } = new URL(request.url);
    const [method, key] = [searchParams.get("method") ?? "", searchParams.get("key") ?? ""];
    if (pathname !== "/never") requests.push({ method, key });
    const rule = rules.findLast(
      ({ pattern, only }) => pattern.test(key) && (only.method ?? method) === method,
    );
    const behaviour = pathname === "/never" ? "stall" : (rule?.behaviour ?? "ok");
    if (behaviour === "slow") await sleep(rule?.only.slowMs ?? 500);
    // An answer that is still expected keeps workerd from ending the request as hung.
    if (behaviour === "stall")
      await sleep(600_000, undefined, { signal: stopping.signal, ref: false }).catch(
        () => undefined,
      );
    return new ControlResponse(behaviour);
  };
  const configuration = async (vars?: Record<string, string>): Promise<MiniflareOptions> => ({
    host: "127.0.0.1",
    port: 0,
    inspectorPort: 0,
    log: new Log(LogLevel.NONE),
    cf: false,
    handleStructuredLogs({ message }) {
      if (message.startsWith(SPAN)) spans.push(message.slice(SPAN.length));
      else logs += `${message}\n`;
    },
    workers: [
      await application({ ...options, vars: { ...options.vars, ...vars } }),
      await store(control),
      ...(options.kv === undefined ? [] : [namespace(control)]),
      ...(options.traced ? [tail()] : []),
    ],
  });
  const miniflare = new Miniflare(await configuration());
  let url = (await miniflare.ready).origin;
  const bucket = async () => miniflare.getR2Bucket("BUCKET", "store");
  const get: WorkerHarness["get"] = async (key) => {
    const object = await (await bucket()).get(key);
    return object === null ? undefined : Buffer.from(await object.arrayBuffer());
  };

  return {
    get url() {
      return url;
    },
    get logs() {
      return logs;
    },
    fetch: (path, init) => fetchAgain(new URL(path, url), init),
    put: async (key, bytes) => (await (await bucket()).put(key, bytes)).httpEtag,
    get,
    async texts(prefix) {
      const { objects } = await (await bucket()).list({ prefix });
      const texts = objects.map(async ({ key }) => [key, String(await get(key))] as const);
      return new Map(await Promise.all(texts));
    },
    setBehaviour(behaviour, keyPattern, only = {}) {
      if (keyPattern === undefined) rules = [];
      rules.push({ pattern: keyPattern ?? /^/, behaviour, only });
    },
    bucket,
    kv: async () => miniflare.getKVNamespace("NAMESPACE", "kv"),
    storeRequests: () => [...requests],
    async scheduled() {
      const { outcome } = await (await miniflare.getWorker("application")).scheduled();
      if (outcome !== "ok") throw new Error(`The cron trigger ended with ${outcome}.`);
    },
    async restart(vars) {
      await miniflare.setOptions(await configuration(vars));
      url = (await miniflare.ready).origin;
    },
    heapBytes: async () =>
      heapBytes(new URL("/core:user:application", await miniflare.getInspectorURL()), async () =>
        (await fetch(url)).arrayBuffer(),
      ),
    spans: () => [...spans],
    async stop() {
      stopping.abort();
      await miniflare.dispose();
    },
  };
}

/**
 * When a body was not read to its end, workerd closes the connection, and does not say so. This request or the next one on it is lost,
 * now and then. Cloudflare's edge keeps this from clients.
 */
async function fetchAgain(url: URL, init: RequestInit = {}, tries = 3): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    const closed = ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(code ?? "");
    if (!closed || tries === 1 || init.body instanceof ReadableStream) throw error;
    return fetchAgain(url, init, tries - 1);
  }
}

async function application(options: WorkerHarnessOptions): Promise<WorkerOptions> {
  const names = await readdir(options.directory, { recursive: true });
  const modules: Record<string, { type: ModuleType; contents: Uint8Array<ArrayBuffer> }> = {};
  for (const name of names) {
    const type = moduleTypes[path.extname(name)];
    if (type !== undefined)
      modules[name] = {
        type,
        contents: new Uint8Array(await readFile(path.join(options.directory, name))),
      };
  }
  const entry = options.entry ?? Object.keys(modules).find((name) => modules[name]?.type === "esm");
  if (entry === undefined || !(entry in modules))
    throw new Error(`No entry module in ${options.directory}`);
  const texts = Object.entries(options.vars ?? {}).map(
    ([name, value]) => [name, { type: "text", value }] as const,
  );
  const rateLimits = Object.entries(options.rateLimits ?? {}).map(
    ([name, simple], index) =>
      [name, { type: "rate-limit", namespace: String(1001 + index), simple }] as const,
  );
  return {
    config: {
      name: "application",
      compatibilityDate: options.compatibilityDate,
      compatibilityFlags: options.compatibilityFlags ?? [],
      manifest: { mainModule: entry, modules },
      ...(options.modelState && {
        exports: { ModelState: { type: "durable-object", storage: "sqlite" } },
      }),
      ...(options.queues?.consumers && { triggers: options.queues.consumers.map(triggerOf) }),
      ...(options.traced && { tailConsumers: [{ worker: "tail", streaming: true }] }),
      ...(options.assets !== undefined && {
        assets: { directory: options.assets, hasUserWorker: true },
      }),
      env: {
        ...Object.fromEntries(texts),
        ...Object.fromEntries(rateLimits),
        ...(options.kv !== undefined && { [options.kv]: throughWorker("kv", "kv") }),
        ...Object.fromEntries(
          Object.entries(options.hyperdrive ?? {}).map(([name, connectionString]) => [
            name,
            { type: "hyperdrive", id: name, dev: { connectionString } },
          ]),
        ),
        ...Object.fromEntries(
          (options.queues?.producers ?? []).map(({ binding, queue = "" }) => [
            binding,
            { type: "queue", name: queue },
          ]),
        ),
        ...Object.fromEntries(
          Object.entries(options.fetchers ?? {}).map(([name, handler]) => [
            name,
            { type: "fetcher", handler },
          ]),
        ),
        ...(options.assets !== undefined && { ASSETS: { type: "assets" } }),
        ...(options.modelState && {
          MODEL_STATE: { type: "durable-object", worker: "application", exportName: "ModelState" },
        }),
        [options.binding ?? "MODELS"]:
          options.store === "plain" ? { type: "r2", name: "models" } : throughWorker("r2", "store"),
      },
    },
  };
}

function triggerOf(consumer: NonNullable<Queues["consumers"]>[number]) {
  return {
    type: "queue" as const,
    name: consumer.queue ?? "",
    deadLetterQueue: consumer.dead_letter_queue,
    maxBatchSize: consumer.max_batch_size,
    maxBatchTimeout: consumer.max_batch_timeout,
    maxRetries: consumer.max_retries,
    retryDelay: consumer.retry_delay,
  };
}

async function store(
  control: (request: { url: string }) => Promise<ControlResponse>,
): Promise<WorkerOptions> {
  return ofCode("store", await readFile(faults, "utf8"), {
    BUCKET: { type: "r2", name: "models" },
    BUCKET_TRANSPORT: { type: "unsafe:transport", dev: { plugin, options: { binding: "BUCKET" } } },
    CONTROL: { type: "fetcher", handler: control },
  });
}

/** A Worker of one module. */
function ofCode(
  name: string,
  contents: string,
  env: NonNullable<WorkerOptions["config"]["env"]> = {},
): WorkerOptions {
  const mainModule = `${name}.js`;
  const modules = { [mainModule]: { type: "esm" as const, contents } };
  const manifest = { mainModule, modules };
  return { config: { name, compatibilityDate: "2026-10-20", manifest, env } };
}

const throughWorker = (kind: "r2" | "kv", worker: string) => ({
  type: "unsafe:through-worker" as const,
  dev: { plugin, options: { kind, worker } },
});

/** Between the application's KV binding and the namespace: each request first asks the test process what to do. */
function namespace(control: Fetcher): WorkerOptions {
  const code = `export default {
    async fetch(request, env) {
      const query = new URLSearchParams({ method: new URL(request.url).pathname, key: "kv" });
      const behaviour = await (await env.CONTROL.fetch("http://control/?" + query)).text();
      if (behaviour === "down") {
        // workerd waits until the request is read.
        await request.arrayBuffer();
        return new Response("We encountered an internal error.", { status: 500 });
      }
      return env.TRANSPORT.fetch(request);
    },
  };`;
  return ofCode("kv", code, {
    NAMESPACE: { type: "kv", id: "features" },
    TRANSPORT: { type: "unsafe:transport", dev: { plugin, options: { binding: "NAMESPACE" } } },
    CONTROL: { type: "fetcher", handler: control },
  });
}

const SPAN = "a span: ";

/** Gets workerd's own traces while they happen. */
function tail(): WorkerOptions {
  const code = `export default {
    tailStream: () => ({ spanOpen: ({ event }) => console.log(${JSON.stringify(SPAN)} + event.name) }),
  };`;
  return ofCode("tail", code);
}
