// Measures what one prediction takes on each platform, for `nearcast cost`, and writes it to cli/cost/recorded.json.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RequestMeasurement } from "../cli/cost/measure-requests.ts";
import { mean, quantilesOf } from "../cli/cost/figures.ts";
import { measureRequests } from "../cli/cost/measured.ts";
import { RECORDED_FILE, type Recorded, type Recording } from "../cli/cost/recorded.ts";
import { packageBytes } from "../cli/fit.ts";
import { startLambda } from "../cli/local/lambda.ts";
import { startS3, type S3Server } from "../cli/local/s3-server.ts";
import { openPackage } from "../cli/package-folder.ts";
import { servedFiles } from "../functions/model/manifest.ts";
import { startNodeServer, type NodeServer } from "../test/harness/node-server.ts";
import { startWorker } from "../test/harness/worker.ts";
import { BUCKET, modelKeys, workerdProcesses } from "./cold-start.ts";
import { measureLoad } from "./load.ts";
import { cpuSeconds, PATIENT, pin, residentMemory, SERVER_CORE } from "./processes.ts";
import { writeReport, type Table } from "./report.ts";
import { shippedModels } from "./shipped.ts";
import { createWorkload, type Workload } from "./workload.ts";

const ROUNDS = 3;
const INVOCATIONS = 300;
const REQUESTS = 500;
const WARM_UP = 200;
const CONNECTIONS = 32;
/** What S3 takes in a function's own region. */
const STORE_MS = 20;

/** Of all rounds, the one in which the machine did least besides. */
export async function costs(): Promise<void> {
  const keys = await modelKeys();
  const s3 = await startS3({ buckets: [BUCKET] });
  s3.slowMs = STORE_MS;
  s3.behaviour = "slow";
  for (const key of keys) s3.put(BUCKET, key, await readFile(`models/${key}`));
  const server = await startNodeServer({ env: PATIENT });
  pin(server.pid, SERVER_CORE);
  const models: Recorded[] = [];
  try {
    for (const { manifest } of await shippedModels()) {
      console.error(manifest.name);
      models.push(await recordModel(manifest.name, { keys, s3, server }));
    }
  } finally {
    await server.stop();
    await s3.close();
  }
  const recording: Recording = {
    date: new Date().toISOString().slice(0, 10),
    machine: cpus()[0]?.model.trim() ?? "unknown",
    node: process.version,
    models,
  };
  await writeFile(RECORDED_FILE, `${JSON.stringify(recording, null, 2)}\n`);
  await writeReport("cost", tables(models), {
    rounds: `The best of ${ROUNDS} rounds: other work on the machine only adds.`,
    cores: "Node's server on one core",
  });
}

interface Places {
  keys: string[];
  s3: S3Server;
  server: NodeServer;
}

async function recordModel(name: string, { keys, s3, server }: Places): Promise<Recorded> {
  const { stable } = JSON.parse(await readFile(`models/${name}/release.json`, "utf8")) as {
    stable: string;
  };
  const local = await openPackage("models", { name, version: stable });
  const { manifest } = local;
  const workload = await createWorkload({ model: name });
  const lambda = await best(
    () => onLambda(workload, s3),
    ({ durationsMs }) => mean(durationsMs),
  );
  const starts = await inRounds(() => startOnLambda(workload, s3));
  const workers = await inRounds(() => onWorker(workload, keys));
  const cpuMs = await best(
    () => onServer(workload, server),
    (cpu) => cpu,
  );
  const native = await best(() => measureRequests(local, "native"), byCpu);
  const wasm = await best(() => measureRequests(local, "wasm"), byCpu);
  const { durationsMs, peakMb, accessBytes, metricsBytes, metrics } = lambda;
  return {
    model: name,
    version: manifest.version,
    digest: manifest.artifact.sha256,
    files: { bytes: packageBytes(manifest), count: servedFiles(manifest).length },
    answerBytes: native.answerBytes,
    logBytes: { access: accessBytes, metrics: metricsBytes },
    metrics,
    lambda: {
      durationsMs,
      ...rounded({
        initMs: least(starts, ({ initMs }) => initMs),
        firstMs: least(starts, ({ firstMs }) => firstMs),
      }),
      peakMb,
    },
    worker: {
      ...rounded({
        cpuMs: least(workers, byCpu),
        firstCpuMs: least(workers, ({ firstCpuMs }) => firstCpuMs),
      }),
      memoryBytes: wasm.wasmBytes + packageBytes(manifest),
    },
    server: {
      ...rounded({ cpuMs }),
      residentMb: Math.ceil((await residentMemory(server.pid)).now),
    },
    inProcess: {
      native: rounded(shown(native)),
      wasm: rounded(shown(wasm)),
    },
  };
}

function byCpu({ cpuMs }: { cpuMs: number }): number {
  return cpuMs;
}

function shown({ firstMs, firstCpuMs, cpuMs, durationsMs }: RequestMeasurement) {
  return { firstMs, firstCpuMs, cpuMs, meanMs: mean(durationsMs) };
}

async function best<Measured>(
  measure: () => Promise<Measured>,
  of: (measured: Measured) => number,
): Promise<Measured> {
  const rounds = await inRounds(measure);
  return rounds.reduce((first, one) => (of(one) < of(first) ? one : first));
}

async function inRounds<Measured>(measure: () => Promise<Measured>): Promise<Measured[]> {
  const rounds: Measured[] = [];
  while (rounds.length < ROUNDS) rounds.push(await measure());
  return rounds;
}

function least<Measured>(rounds: readonly Measured[], of: (measured: Measured) => number): number {
  return Math.min(...rounds.map(of));
}

function rounded<Figures extends Record<string, number>>(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))]),
  ) as Figures;
}

/** The deployed package under the runtime interface client, with an empty /tmp. */
async function inFunction<Measured>(
  s3: S3Server,
  measure: (environment: Awaited<ReturnType<typeof startLambda>>) => Promise<Measured>,
): Promise<Measured> {
  const cache = await mkdtemp(join(tmpdir(), "nearcast-bench-"));
  const environment = await startLambda({
    directory: resolve("dist/lambda", process.arch),
    handler: "index.handler",
    env: {
      STORE: `s3://${BUCKET}`,
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: "true",
      AUTH: "none",
      CACHE_DIR: cache,
    },
  });
  try {
    return await measure(environment);
  } finally {
    await environment.stop();
    await rm(cache, { recursive: true, force: true });
  }
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

async function ask(fetch: Ask, { model, contentType, bodies }: Workload, turn: number) {
  const body = new Uint8Array(bodies[turn % bodies.length] ?? []);
  const headers = { "content-type": contentType };
  const answer = await fetch(`/v1/models/${model}/predict`, { method: "POST", headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${model} answered ${text}`);
}

function startOnLambda(workload: Workload, s3: S3Server) {
  return inFunction(s3, async (environment) => {
    const begun = performance.now();
    await ask(environment.fetch, workload, 0);
    const initMs = (environment.readyAt ?? NaN) - begun;
    return { initMs, firstMs: performance.now() - begun - initMs };
  });
}

function onLambda(workload: Workload, s3: S3Server) {
  return inFunction(s3, async (environment) => {
    for (let turn = 0; turn < WARM_UP; turn++) await ask(environment.fetch, workload, turn);
    const before = environment.logs.length;
    const durations: number[] = [];
    for (let turn = 0; turn < INVOCATIONS; turn++) {
      const begun = performance.now();
      await ask(environment.fetch, workload, turn);
      durations.push(performance.now() - begun);
    }
    const { peak } = await residentMemory(environment.pid ?? 0);
    return {
      durationsMs: quantilesOf(durations),
      peakMb: Math.ceil(peak),
      ...linesOf(environment.logs.slice(before), environment.logs),
    };
  });
}

/** Bytes of a request's lines, and the metrics of CloudWatch that all lines name. */
function linesOf(counted: string, all: string) {
  const access = counted.split("\n").filter((line) => line.includes('"message":"request"'));
  const embedded = counted.split("\n").filter((line) => line.includes('"_aws"'));
  const names = new Set<string>();
  for (const line of all.split("\n").filter((text) => text.includes('"_aws"'))) {
    const { _aws } = JSON.parse(line.slice(line.indexOf("{"))) as {
      _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[] };
    };
    for (const { Dimensions, Metrics } of _aws.CloudWatchMetrics)
      for (const { Name } of Metrics) names.add(`${Dimensions.flat().join()} ${Name}`);
  }
  return { accessBytes: meanBytes(access), metricsBytes: meanBytes(embedded), metrics: names.size };
}

function meanBytes(lines: readonly string[]): number {
  return Math.ceil(mean(lines.map((line) => line.length + 1)));
}

/** The deployed Worker in workerd, without its log, which goes through the emulator. */
async function onWorker(workload: Workload, keys: string[]) {
  const configuration = await readFile("wrangler.toml", "utf8");
  const workerd = await startWorker({
    directory: "dist/worker",
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(configuration)?.[1] ?? "",
    vars: { AUTH: "none", ACCESS_LOG: "false" },
    store: "plain",
  });
  try {
    for (const key of keys) await workerd.put(key, await readFile(`models/${key}`));
    const pids = await workerdProcesses();
    const beforeFirst = cpuSeconds(pids);
    await ask(workerd.fetch, workload, 0);
    const firstCpuMs = (cpuSeconds(pids) - beforeFirst) * 1000;
    for (let turn = 0; turn < WARM_UP; turn++) await ask(workerd.fetch, workload, turn);
    const before = cpuSeconds(pids);
    for (let turn = 0; turn < REQUESTS; turn++) await ask(workerd.fetch, workload, turn);
    return { cpuMs: ((cpuSeconds(pids) - before) * 1000) / REQUESTS, firstCpuMs };
  } finally {
    await workerd.stop();
  }
}

/** Milliseconds of processor time a request of Node's server with its log. */
async function onServer({ model }: Workload, { pid, url }: NodeServer): Promise<number> {
  const path = `${url}/v1/models/${model}/predict`;
  const load = { requests: { model }, connections: CONNECTIONS, seconds: 1, url: path };
  return (await measureLoad(pid, load)).cpu / 1000;
}

function tables(models: readonly Recorded[]): Table[] {
  return [
    {
      title: "What a prediction takes",
      note:
        "One input a request. Lambda: the package under the " +
        `runtime interface client, S3 answers after ${STORE_MS} ms. Worker: processor time of workerd with its emulator, without the ` +
        `log. Server: processor time over ${CONNECTIONS} connections, with the log. \`nearcast cost\` reads the same figures from ` +
        "cli/cost/recorded.json.",
      columns: [
        "model",
        "Lambda, mean ms",
        "init, ms",
        "first invocation, ms",
        "peak, MiB",
        "Worker, CPU ms",
        "its first, CPU ms",
        "server, CPU ms",
        "answer, bytes",
      ],
      rows: models.map(({ model, lambda, worker, server, answerBytes }) => [
        model,
        mean(lambda.durationsMs).toFixed(2),
        lambda.initMs.toFixed(0),
        lambda.firstMs.toFixed(0),
        String(lambda.peakMb),
        worker.cpuMs.toFixed(2),
        worker.firstCpuMs.toFixed(0),
        server.cpuMs.toFixed(3),
        String(answerBytes),
      ]),
    },
  ];
}
