// Measures the time from the start of a process to its first correct prediction, for each runtime. The least code for
// the same work on that runtime is measured beside it.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLambda, type Lambda } from "../cli/local/lambda.ts";
import { startNodeServer, V8_FLAGS } from "../test/harness/node-server.ts";
import type { S3Server } from "../cli/local/s3-server.ts";
import { startWorker } from "../test/harness/worker.ts";
import { cpuSeconds, processTree, residentMemory } from "./processes.ts";
import { quantile } from "./statistics.ts";
import { createWorkload } from "./workload.ts";

/** The place of the models in the S3 stand-in. */
export const BUCKET = "models";

/** Milliseconds; `peak` is MiB of resident memory. */
export interface ColdStart {
  total: number;
  /** Lambda: the time until the process asks for its first event. The rest is the first invocation. */
  init?: number;
  peak?: number;
  /** Lambda: the median of later invocations, by model. */
  warm?: Map<string, number>;
}

/** Later invocations of each model. */
const WARM_INVOCATIONS = 200;

/** Later requests of a Worker: some to warm it, and those that count. After 300, V8 still compiles what is called often. */
const WARM_UP = 5000;
const WARM_UP_AT_ONCE = 8;
const WARM_REQUESTS = 1500;

const request = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"inputs":{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}}',
};
const PREDICT = "/v1/models/iris/predict";

async function checkAnswer(response: Response): Promise<void> {
  const text = await response.text();
  if (!text.includes('"label":"setosa"')) throw new Error(`Not a prediction: ${text}`);
}

/** Runs what `npm start` runs, with a folder of models. */
export async function nodeServer(env: Record<string, string> = {}): Promise<ColdStart> {
  const start = performance.now();
  const server = await startNodeServer({ env });
  try {
    await checkAnswer(await server.fetch(PREDICT, request));
    return { total: performance.now() - start, peak: (await residentMemory(server.pid)).peak };
  } finally {
    await server.stop();
  }
}

/** A script that prints the scores of its one prediction. */
export async function nodeScript(entry: string): Promise<ColdStart> {
  const start = performance.now();
  const child = spawn(process.execPath, [...V8_FLAGS, entry], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const [line] = (await child.stdout.setEncoding("utf8").take(1).toArray()) as string[];
  const total = performance.now() - start;
  await closed;
  if (!line?.startsWith("[0.9")) throw new Error(`Not a prediction: ${line}`);
  return { total };
}

/**
 * Runs a package under the runtime interface client, with the artifact in S3 and an empty /tmp. Then asks for `models`
 * to measure warm invocations.
 */
export async function lambda(
  directory: string,
  s3: S3Server,
  models: readonly string[] = [],
  more: Record<string, string> = {},
): Promise<ColdStart> {
  const cache = await mkdtemp(join(tmpdir(), "nearcast-bench-"));
  const env = {
    STORE: `s3://${BUCKET}`,
    BUCKET,
    S3_ENDPOINT: s3.endpoint,
    S3_FORCE_PATH_STYLE: "true",
    AUTH: "none",
    CACHE_DIR: cache,
    ...more,
  };
  const environment = await startLambda({ directory, handler: "index.handler", env });
  try {
    const start = performance.now();
    await checkAnswer(await environment.fetch(PREDICT, request));
    const total = performance.now() - start;
    const init = (environment.readyAt ?? NaN) - start;
    const { peak } = await residentMemory(environment.pid ?? 0);
    const warm = new Map<string, number>();
    for (const model of models) warm.set(model, await warmInvocation(environment, model));
    return { total, init, peak, warm };
  } finally {
    await environment.stop();
    await rm(cache, { recursive: true, force: true });
  }
}

async function warmInvocation({ fetch }: Lambda, model: string): Promise<number> {
  const { contentType, bodies } = await createWorkload({ model });
  const durations: number[] = [];
  // The first one loads the model.
  for (let turn = 0; turn <= WARM_INVOCATIONS; turn++) {
    const body = new Uint8Array(bodies[turn % bodies.length] ?? []);
    const headers = { "content-type": contentType };
    const before = performance.now();
    const answer = await fetch(`/v1/models/${model}/predict`, { method: "POST", headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${model} answered ${text}`);
    if (turn > 0) durations.push(performance.now() - before);
  }
  return quantile(durations, 0.5);
}

export interface WorkerColdStart {
  /** The start of workerd and its emulator, with the Worker's modules and global scope. */
  start: number;
  /** The first request, which reads the model from R2. */
  firstRequest: number;
  /** The first request of a new isolate in the same place. The Cache API may have the artifact. */
  nextIsolate: number;
  /** Microseconds of processor time of workerd for each of some later requests. */
  warmCpu: number;
}

export async function worker(directory: string, keys: string[]): Promise<WorkerColdStart> {
  const configuration = await readFile("wrangler.toml", "utf8");
  const compatibilityDate = /^compatibility_date = "(.+)"$/m.exec(configuration)?.[1] ?? "";
  const before = performance.now();
  const workerd = await startWorker({
    directory,
    compatibilityDate,
    vars: { AUTH: "none", ACCESS_LOG: "false" },
    store: "plain",
  });
  try {
    const start = performance.now() - before;
    for (const key of keys) await workerd.put(key, await readFile(`models/${key}`));
    const timed = async () => {
      const began = performance.now();
      await checkAnswer(await workerd.fetch(PREDICT, request));
      return performance.now() - began;
    };
    const firstRequest = await timed();
    await workerd.restart();
    const nextIsolate = await timed();
    for (let turn = 0; turn < WARM_UP; turn += WARM_UP_AT_ONCE)
      await Promise.all(Array.from({ length: WARM_UP_AT_ONCE }, timed));
    const pids = await workerdProcesses();
    const used = cpuSeconds(pids);
    for (let turn = 0; turn < WARM_REQUESTS; turn++) await timed();
    const warmCpu = ((cpuSeconds(pids) - used) / WARM_REQUESTS) * 1e6;
    return { start, firstRequest, nextIsolate, warmCpu };
  } finally {
    await workerd.stop();
  }
}

/** The processes of workerd that this one has started. */
export async function workerdProcesses(): Promise<number[]> {
  const pids = await processTree(process.pid);
  const names = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")),
  );
  return pids.filter((_, index) => names[index]?.trim() === "workerd");
}

/** Every file of the shipped models' packages, as keys of a store. */
export async function modelKeys(): Promise<string[]> {
  const files = await readdir("models", { recursive: true });
  return files.filter((file) => /^[^/]+\/(release\.json|[^/]+\/[^/]+\.(onnx|json))$/.test(file));
}
