// `npm run bench -- --only overload` sends five times the load that the server can carry, for a minute.
import { join } from "node:path";
import autocannon from "autocannon";
import { startNodeServer, type NodeServer } from "../test/harness/node-server.ts";
import type { OpenLoad, OpenLoopResult } from "./open-loop.ts";
import { LOAD_CORE, pin, runChild, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { median } from "./statistics.ts";

const STORE = join(import.meta.dirname, "../test/fixtures");
/** A run of the fixture `slow` takes about five milliseconds. */
const PATH = "/v1/models/slow/predict";
const BODY = JSON.stringify({ inputs: { iterations: [2_500] } });
const NORMAL = 0.8;
const FACTOR = 5;
const CAPACITY_ROUNDS = 3;
const SECONDS = { capacity: 3, normal: 20, overload: 60 };

/** Makes a table for each number of worker processes, with the full load and five times as much. */
export async function overload(): Promise<Table[]> {
  const tables: Table[] = [];
  for (const workers of [0, 2]) tables.push(await overloadWith(workers));
  return tables;
}

async function overloadWith(workers: number): Promise<Table> {
  const server = await startNodeServer({
    env: { STORE, WORKERS: String(workers), ACCESS_LOG: "false" },
  });
  try {
    // Worker processes also use the other core and share it with the load generator.
    if (workers === 0) pin(server.pid, SERVER_CORE);
    const carried = await capacity(server);
    const normal = await load(server, carried * NORMAL, SECONDS.normal);
    const under = await load(server, carried * FACTOR, SECONDS.overload);
    const best = Math.max(normal.goodput, carried);
    return {
      title: `Overload, WORKERS=${workers}`,
      note:
        `A model of some 5 ms; requests come at a constant rate. ${FACTOR} times the ${carried.toFixed(0)} requests a second that it can carry, for ` +
        `${SECONDS.overload} s: ${percent(under.goodput / best)} of the best goodput, the p99 of what is admitted ` +
        `${(under.servedP99 / normal.servedP99).toFixed(1)} times that of ${percent(NORMAL)} load.`,
      columns: [
        "load",
        "offered/s",
        "goodput/s",
        "refused",
        "p50 ms",
        "p99 ms",
        "refused: p50 ms",
        "p99 ms",
      ],
      rows: [
        row(`${percent(NORMAL)} of that`, normal, SECONDS.normal),
        row(`${FACTOR} times that`, under, SECONDS.overload),
      ],
    };
  } finally {
    await server.stop();
  }
}

/** The load that the server can carry: answers a second to clients that wait for each answer. */
async function capacity({ url }: NodeServer): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < CAPACITY_ROUNDS; round++) {
    const result = await autocannon({
      url: url + PATH,
      method: "POST",
      headers: { "content-type": "application/json" },
      requests: [{ body: Buffer.from(BODY) }],
      connections: 4,
      duration: SECONDS.capacity,
    });
    rounds.push(result["2xx"] / result.duration);
  }
  return median(rounds);
}

async function load(server: NodeServer, rate: number, seconds: number): Promise<OpenLoopResult> {
  const options: OpenLoad = { url: server.url + PATH, body: BODY, rate, seconds };
  const result = await runChild<OpenLoopResult>("open-loop.ts", options, LOAD_CORE);
  console.error(`${rate.toFixed(0)}/s: ${JSON.stringify(result)}`);
  return result;
}

function row(name: string, result: OpenLoopResult, seconds: number): string[] {
  const { offered, goodput, refused, failed, servedP50, servedP99, refusedP50, refusedP99 } =
    result;
  if (failed > 0) throw new Error(`${failed} requests got neither 200 nor 503`);
  return [
    name,
    (offered / seconds).toFixed(0),
    goodput.toFixed(0),
    percent(refused / offered),
    ...[servedP50, servedP99, refusedP50, refusedP99].map((value) =>
      Number.isFinite(value) ? value.toFixed(1) : "",
    ),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
