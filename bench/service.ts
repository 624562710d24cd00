// Compares the service with the least code for the same work: warm requests, batches, cold starts and memory.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import { startS3, type S3Server } from "../cli/local/s3-server.ts";
import type { Bare } from "./bare/build.ts";
import type { BareLoop } from "./bare/session-run.ts";
import { BUCKET, lambda, modelKeys, nodeScript, nodeServer, worker } from "./cold-start.ts";
import { measureInProcess } from "./in-process.ts";
import { measureLoad, type LoadResult } from "./load.ts";
import { PATIENT, pin, residentMemory, runChild, SERVER_CORE } from "./processes.ts";
import { inTurn } from "./rounds.ts";
import type { Record } from "./statistics.ts";
import { BATCHES, CONNECTIONS, MODELS } from "./tables.ts";
import { warmMemory } from "./warm-memory.ts";

const SECONDS = 1;

/** Starts the servers. `measure` is one round over all of them. `end` adds the memory that they hold afterwards. */
export async function startService(bare: Bare) {
  const keys = await modelKeys();
  const s3 = await startS3({ buckets: [BUCKET] });
  for (const key of keys) s3.put(BUCKET, key, await readFile(`models/${key}`));
  const server = await startNodeServer({ env: PATIENT });
  const floor = await startNodeServer({ entry: bare.server, nodeFlags: V8_FLAGS });
  const models = await startNodeServer({ entry: bare.modelsServer, nodeFlags: V8_FLAGS });
  const wasm = await startNodeServer({ env: { ...PATIENT, RUNTIME: "wasm" } });
  const servers = [server, floor, models, wasm];
  for (const { pid } of servers) pin(pid, SERVER_CORE);
  let warm: number | undefined;

  return {
    async measure(record: Record, round: number): Promise<void> {
      warm ??= await warmMemory(server);
      await warmRequests(record, round, { server, floor });
      await warmWasm(record, wasm);
      await warmModels(models);
      await batchRequests(record, round, { server, bare });
      await coldStarts(record, round, { bare, s3, keys });
    },
    async end(record: Record): Promise<void> {
      const alone = await runChild<{ now: number }>(bare.sessions, null, SERVER_CORE, V8_FLAGS);
      for (const [name, { now, peak }] of [
        ["server", await residentMemory(server.pid)],
        ["models server", await residentMemory(models.pid)],
      ] as const) {
        record.add(`memory ${name} now`, now);
        record.add(`memory ${name} peak`, peak);
      }
      record.add("memory server warm", warm ?? NaN);
      record.add("memory bare now", alone.now);
    },
    async stop(): Promise<void> {
      await Promise.all(servers.map((one) => one.stop()));
      await s3.close();
    },
  };
}

async function warmRequests(
  record: Record,
  round: number,
  { server, floor }: { server: NodeServer; floor: NodeServer },
): Promise<void> {
  for (const model of MODELS) {
    for (const connections of CONNECTIONS) {
      const load = { requests: { model }, connections, seconds: SECONDS };
      const asked = [
        { name: model, pid: server.pid, url: `${server.url}/v1/models/${model}/predict` },
        ...(model === "iris" ? [{ name: "floor", pid: floor.pid, url: floor.url }] : []),
      ];
      for (const { name, pid, url } of inTurn(asked, round))
        keep(record, `${name} http ${connections}`, await measureLoad(pid, { ...load, url }));
    }
    for (const [who, p50] of Object.entries(await measureInProcess({ model, seconds: SECONDS })))
      record.add(`${model} in-process ${who}`, p50);
  }
}

/** The processor time of the edge's runtime, for the cost on Workers. */
async function warmWasm(record: Record, { pid, url }: NodeServer): Promise<void> {
  for (const model of MODELS) {
    const load = { requests: { model }, connections: 1, seconds: SECONDS };
    const path = `${url}/v1/models/${model}/predict`;
    keep(record, `${model} wasm`, await measureLoad(pid, { ...load, url: path }));
  }
}

/** The same requests as the service gets, so that the memory of both can be compared. */
async function warmModels({ pid, url }: NodeServer): Promise<void> {
  for (const model of MODELS)
    for (const connections of CONNECTIONS) {
      const requests = { model, format: "v2" as const };
      await measureLoad(pid, { url: `${url}/${model}`, requests, connections, seconds: SECONDS });
    }
}

async function batchRequests(
  record: Record,
  round: number,
  { server, bare }: { server: NodeServer; bare: Bare },
): Promise<void> {
  for (const rows of inTurn(BATCHES, round)) {
    const load = { requests: { model: "iris", rows }, connections: 1, seconds: SECONDS / 2 };
    const url = `${server.url}/v1/models/iris/predict`;
    keep(record, `batch ${rows} http`, await measureLoad(server.pid, { ...load, url }));
    const loop: BareLoop = { model: "iris", rows, seconds: SECONDS / 4 };
    const { p50 } = await runChild<{ p50: number }>(bare.sessionRun, loop, SERVER_CORE, V8_FLAGS);
    record.add(`batch ${rows} bare p50`, p50);
  }
}

async function coldStarts(
  record: Record,
  round: number,
  { bare, s3, keys }: { bare: Bare; s3: S3Server; keys: string[] },
): Promise<void> {
  const onNode = async () => {
    const { total, peak = NaN } = await nodeServer();
    record.add("cold node", total);
    record.add("peak node", peak);
  };
  const bareNode = async () => record.add("cold node bare", (await nodeScript(bare.script)).total);
  for (const start of inTurn([onNode, bareNode], round)) await start();

  const lambdas = [
    { name: "lambda", directory: resolve("dist/lambda", process.arch), models: MODELS },
    { name: "lambda bare", directory: bare.lambda, models: [] },
  ];
  for (const { name, directory, models } of inTurn(lambdas, round)) {
    const { total, init = NaN, peak = NaN, warm } = await lambda(directory, s3, models);
    record.add(`cold ${name}`, total);
    record.add(`cold ${name} init`, init);
    record.add(`cold ${name} invoke`, total - init);
    record.add(`peak ${name}`, peak);
    for (const [model, p50] of warm ?? []) record.add(`${model} lambda warm`, p50);
  }

  const workers = [
    { name: "worker", directory: "dist/worker" },
    { name: "worker bare", directory: bare.worker },
  ];
  for (const { name, directory } of inTurn(workers, round)) {
    const { start, firstRequest, nextIsolate } = await worker(directory, keys);
    record.add(`cold ${name}`, start + firstRequest);
    record.add(`cold ${name} start`, start);
    record.add(`cold ${name} first`, firstRequest);
    record.add(`cold ${name} next isolate`, nextIsolate);
  }
}

function keep(
  record: Record,
  name: string,
  { requestsPerSecond, cpu, p50, p99 }: LoadResult,
): void {
  record.add(`${name} cpu`, cpu);
  record.add(`${name} rps`, requestsPerSecond);
  record.add(`${name} p50`, p50);
  record.add(`${name} p99`, p99);
}
