// `npm run bench`: what the service costs on this machine, beside the least code that does the same.
// `-- --only tensors`, `parallel`, `store`, `overload` or `soak` measures that alone.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setup as build } from "../test/harness/build.ts";
import { startNodeServer, type NodeServer } from "../test/harness/node-server.ts";
import { startS3, type S3Server } from "../test/harness/s3-server.ts";
import type { BareLoop } from "./bare/session-run.ts";
import { buildBare, type Bare } from "./bare/build.ts";
import { BUCKET, lambda, modelKeys, nodeScript, nodeServer, worker } from "./cold-start.ts";
import { measureInProcess } from "./in-process.ts";
import { measureLoad, type LoadResult } from "./load.ts";
import { overload } from "./overload.ts";
import { parallelTables, startParallel } from "./parallel.ts";
import { PATIENT, pin, residentMemory, runChild, SERVER_CORE } from "./processes.ts";
import { writeReport, type Table } from "./report.ts";
import { shippedModels } from "./shipped.ts";
import { soak } from "./soak.ts";
import { createRecord, type Record } from "./statistics.ts";
import { startStores, storeTable } from "./store-size.ts";
import { benchTables, BATCHES, MODELS, CONNECTIONS } from "./tables.ts";
import { startTensors, tensorTable } from "./tensors.ts";

const ROUNDS = 5;
const SECONDS = 1.5;

const PARTS = {
  tensors: () => partBench("tensors", startTensors, (measured) => [tensorTable(measured)]),
  parallel: () => partBench("parallel", startParallel, parallelTables),
  store: () => partBench("store", startStores, (measured) => [storeTable(measured)]),
  overload: async () => writeReport("overload", await overload(), 1),
  soak: async () => writeReport("soak", await soak(), 1),
};

const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
if (only !== undefined && !Object.hasOwn(PARTS, only))
  throw new Error(`--only takes: ${Object.keys(PARTS).join(", ")}`);
process.chdir(join(import.meta.dirname, ".."));
let record = createRecord();
await build();
await (only === undefined ? fullBench() : PARTS[only as keyof typeof PARTS]());

async function partBench(
  name: string,
  start: () => Promise<{
    measure: (record: Record) => Promise<void>;
    stop: () => Promise<unknown>;
  }>,
  tables: (record: Record) => Table[],
): Promise<void> {
  const part = await start();
  await inRounds(() => part.measure(record)).finally(() => part.stop());
  await writeReport(name, tables(record), ROUNDS);
}

async function fullBench(): Promise<void> {
  const bare = await buildBare();
  const keys = await modelKeys();
  const s3 = await startS3({ buckets: [BUCKET] });
  for (const key of keys) s3.put(BUCKET, key, await readFile(`models/${key}`));
  const server = await startNodeServer({ env: PATIENT });
  const floor = await startNodeServer({ entry: "bench/bare/server.ts" });
  const models = await startNodeServer({ entry: bare.modelsServer });
  const wasm = await startNodeServer({ env: { ...PATIENT, RUNTIME: "wasm" } });
  const tensors = await startTensors();
  const stores = await startStores();
  for (const { pid } of [server, floor, models, wasm]) pin(pid, SERVER_CORE);
  try {
    await askEveryModel(server);
    const warm = await residentMemory(server.pid);
    await inRounds(async () => {
      await warmRequests(server, floor);
      await warmWasm(wasm);
      await warmModels(models);
      await batchRequests(server);
      await tensors.measure(record);
      await stores.measure(record);
      await coldStarts(bare, s3, keys);
    });
    const memory = await runChild<{ now: number }>(bare.sessions, null, SERVER_CORE);
    for (const [name, { now, peak }] of [
      ["server", await residentMemory(server.pid)],
      ["models server", await residentMemory(models.pid)],
    ] as const) {
      record.add(`memory ${name} now`, now);
      record.add(`memory ${name} peak`, peak);
    }
    record.add("memory server warm", warm.now);
    record.add("memory bare now", memory.now);
  } finally {
    await Promise.all([server, floor, models, wasm, tensors, stores].map((one) => one.stop()));
    await s3.close();
  }
  const tables = [...(await benchTables(record)), tensorTable(record), storeTable(record)];
  await writeReport("bench", tables, ROUNDS);
}

/** The round before the first warms servers, disk and harness, and is not counted. */
async function inRounds(measure: () => Promise<void>): Promise<void> {
  for (let round = 0; round <= ROUNDS; round++) {
    console.error(round === 0 ? "warming up" : `round ${round} of ${ROUNDS}`);
    if (round === 1) record = createRecord();
    await measure();
  }
}

async function warmRequests(server: NodeServer, floor: NodeServer): Promise<void> {
  for (const model of MODELS) {
    for (const connections of CONNECTIONS) {
      const load = { requests: { model }, connections, seconds: SECONDS };
      const url = `${server.url}/v1/models/${model}/predict`;
      keep(`${model} http ${connections}`, await measureLoad(server.pid, { ...load, url }));
      if (model === "iris")
        keep(
          `floor http ${connections}`,
          await measureLoad(floor.pid, { ...load, url: floor.url }),
        );
    }
    await bareLoop(`${model} bare`, { model, seconds: SECONDS / 2 });
    const { app, bare, hono } = await measureInProcess({ model, seconds: SECONDS });
    record.add(`${model} in-process app`, app);
    record.add(`${model} in-process bare`, bare);
    record.add(`${model} in-process hono`, hono);
  }
}

/** So that every shipped model's session is among what the server holds. */
async function askEveryModel({ fetch }: NodeServer): Promise<void> {
  for (const { manifest, example } of await shippedModels())
    for (let turn = 0; turn < 1000; turn++) {
      const answer = await fetch(`/v1/models/${manifest.name}/predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: example.input }),
      });
      if (!answer.ok) throw new Error(`${manifest.name} answered ${await answer.text()}`);
      await answer.arrayBuffer();
    }
}

/** The processor time of the edge's runtime, for what Workers would bill. */
async function warmWasm({ pid, url }: NodeServer): Promise<void> {
  for (const model of MODELS) {
    const load = { requests: { model }, connections: 1, seconds: SECONDS };
    const path = `${url}/v1/models/${model}/predict`;
    keep(`${model} wasm`, await measureLoad(pid, { ...load, url: path }));
  }
}

/** What the service gets, so that the memory of both has had the same to do. */
async function warmModels({ pid, url }: NodeServer): Promise<void> {
  for (const model of MODELS)
    for (const connections of CONNECTIONS) {
      const requests = { model, format: "v2" as const };
      await measureLoad(pid, { url: `${url}/${model}`, requests, connections, seconds: SECONDS });
    }
}

async function batchRequests(server: NodeServer): Promise<void> {
  for (const rows of BATCHES) {
    const load = { requests: { model: "iris", rows }, connections: 1, seconds: SECONDS / 2 };
    const url = `${server.url}/v1/models/iris/predict`;
    keep(`batch ${rows} http`, await measureLoad(server.pid, { ...load, url }));
    const loop: BareLoop = { model: "iris", rows, seconds: SECONDS / 4 };
    keep(
      `batch ${rows} bare`,
      await runChild<LoadResult>("bare/session-run.ts", loop, SERVER_CORE),
    );
  }
}

async function bareLoop(name: string, loop: BareLoop): Promise<void> {
  const { p50 } = await runChild<{ p50: number }>("bare/session-run.ts", loop, SERVER_CORE);
  record.add(`${name} p50`, p50);
}

async function coldStarts(bare: Bare, s3: S3Server, keys: string[]): Promise<void> {
  const ours = await nodeServer();
  record.add("cold node", ours.total);
  record.add("peak node", ours.peak ?? NaN);
  record.add("cold node bare", (await nodeScript(bare.script)).total);
  for (const [name, directory] of [
    ["lambda", resolve("dist/lambda", process.arch)],
    ["lambda bare", bare.lambda],
  ] as const) {
    const { total, init = NaN, peak = NaN } = await lambda(directory, s3);
    record.add(`cold ${name}`, total);
    record.add(`cold ${name} init`, init);
    record.add(`cold ${name} invoke`, total - init);
    record.add(`peak ${name}`, peak);
  }
  for (const [name, directory] of [
    ["worker", "dist/worker"],
    ["worker bare", bare.worker],
  ] as const) {
    const { start, firstRequest, nextIsolate } = await worker(directory, keys);
    record.add(`cold ${name}`, start + firstRequest);
    record.add(`cold ${name} start`, start);
    record.add(`cold ${name} first`, firstRequest);
    record.add(`cold ${name} next isolate`, nextIsolate);
  }
}

function keep(name: string, { requestsPerSecond, cpu, p50, p99 }: LoadResult): void {
  record.add(`${name} cpu`, cpu);
  record.add(`${name} rps`, requestsPerSecond);
  record.add(`${name} p50`, p50);
  record.add(`${name} p99`, p99);
}
