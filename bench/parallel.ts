// Compares configurations of the server: two cores, answers while a model runs, and joined runs.
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { startNodeServer, type NodeServer } from "../test/harness/node-server.ts";
import { sessionOptions } from "./bare/session-options.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { quantile, ratio, summary, type Record } from "./statistics.ts";

const WORKERS = [0, 1, 2];
const SECONDS = 2;
const BATCH_SECONDS = 2;
const SHORT_MS = 6;
const LONG_MS = 200;
const HEALTH_EVERY_MS = 10;
const STEPS = "test/fixtures/batching/steps/1/model.onnx";

const SERVERS = {
  "slow workers 0": { STORE: "test/fixtures", WORKERS: "0" },
  "slow workers 1": { STORE: "test/fixtures", WORKERS: "1" },
  "slow workers 2": { STORE: "test/fixtures", WORKERS: "2" },
  "steps alone": { STORE: "test/fixtures/batching" },
  "steps joined": { STORE: "test/fixtures/batching", DYNAMIC_BATCHING: "steps:64" },
};

/** No request is refused, and the log is off. */
const OPEN = { MAX_QUEUE_MS: "60000", ACCESS_LOG: "false" };

/** Starts the servers. `measure` is one round over all of them. */
export async function startParallel() {
  const bare = await InferenceSession.create(STEPS, sessionOptions);
  const servers = new Map<string, NodeServer>();
  for (const [name, env] of Object.entries(SERVERS))
    servers.set(name, await startNodeServer({ env: { ...OPEN, ...env } }));
  const urlOf = (name: string) => servers.get(name)?.url ?? "";
  const perMillisecond = await calibrate(urlOf("slow workers 0"));
  const slow = (milliseconds: number) => ({
    iterations: [Math.round(perMillisecond * milliseconds)],
  });

  async function measure(record: Record, round: number): Promise<void> {
    const numbers = inTurn(WORKERS, round);
    for (const workers of numbers) {
      const url = urlOf(`slow workers ${workers}`);
      const { rps } = await load(url, "slow", {
        input: slow(SHORT_MS),
        connections: 8,
        seconds: SECONDS,
      });
      record.add(`slow workers ${workers} rps`, rps);
    }
    for (const workers of numbers)
      record.add(
        `health workers ${workers} p99`,
        await healthUnderLoad(urlOf(`slow workers ${workers}`)),
      );
    for (const connections of [1, 64])
      for (const how of inTurn(["alone", "joined"], round)) {
        const options = { input: stepsInput(), connections, seconds: BATCH_SECONDS };
        const { rps, p50 } = await load(urlOf(`steps ${how}`), "steps", options);
        record.add(`steps ${how} ${connections} rps`, rps);
        record.add(`steps ${how} ${connections} p50`, p50);
      }
    for (const rows of [1, 16]) record.add(`steps bare ${rows}`, await bareRun(bare, rows));
  }

  async function healthUnderLoad(url: string): Promise<number> {
    const options = { input: slow(LONG_MS), connections: 2, seconds: SECONDS };
    const end = performance.now() + SECONDS * 1000;
    const under = load(url, "slow", options);
    await sleep(LONG_MS);
    const waits: number[] = [];
    while (performance.now() < end) {
      const before = performance.now();
      await (await fetch(`${url}/health`)).arrayBuffer();
      waits.push(performance.now() - before);
      await sleep(HEALTH_EVERY_MS);
    }
    await under;
    return quantile(waits, 0.99);
  }

  return {
    measure,
    stop: () => Promise.all([...servers.values()].map((server) => server.stop())),
  };
}

interface LoadOptions {
  input: unknown;
  connections: number;
  seconds: number;
}

async function load(url: string, model: string, { input, connections, seconds }: LoadOptions) {
  const latencies: number[] = [];
  const instance = autocannon({
    url: `${url}/v1/models/${model}/predict`,
    method: "POST",
    headers: { "content-type": "application/json" },
    requests: [{ body: Buffer.from(JSON.stringify({ inputs: input })) }],
    connections,
    duration: seconds,
  });
  instance.on("response", (_client, _status, _bytes, milliseconds) => latencies.push(milliseconds));
  const result = await instance;
  if (result.errors + result.timeouts + result.non2xx > 0)
    throw new Error(`${url}: ${result.errors} errors, ${result.non2xx} answers were not 2xx`);
  return { rps: result["2xx"] / result.duration, p50: quantile(latencies, 0.5) };
}

/** Iterations of the slow model a millisecond. */
async function calibrate(url: string): Promise<number> {
  const ITERATIONS = 20_000;
  const options = { input: { iterations: [ITERATIONS] }, connections: 1, seconds: SECONDS };
  return ITERATIONS / (await load(url, "slow", options)).p50;
}

function stepsInput() {
  return { x: [Array.from({ length: 16 }, (_, index) => Math.sin(index))] };
}

async function bareRun(session: InferenceSession, rows: number): Promise<number> {
  const data = Float32Array.from({ length: rows * 16 }, (_, index) => Math.sin(index));
  const feeds = { x: new Tensor("float32", data, [rows, 16]) };
  const durations: number[] = [];
  for (const end = performance.now() + 500; performance.now() < end;) {
    const before = performance.now();
    await session.run(feeds);
    durations.push(performance.now() - before);
  }
  return quantile(durations, 0.5);
}

export function parallelTables({ get }: Record): Table[] {
  return [
    {
      title: `Two cores: a model of ${SHORT_MS} ms, 8 connections; \`/health\` while one of ${LONG_MS} ms runs`,
      note:
        "Health: milliseconds, 2 connections asking the model " +
        `without a pause, \`/health\` asked every ${HEALTH_EVERY_MS} ms.`,
      columns: ["WORKERS", "predictions a second", "over WORKERS=0", "health p99"],
      rows: WORKERS.map((workers) => [
        String(workers),
        summary(get(`slow workers ${workers} rps`), 0),
        summary(ratio(get(`slow workers ${workers} rps`), get("slow workers 0 rps")), 2),
        summary(get(`health workers ${workers} p99`), 1),
      ]),
    },
    {
      title: "Joined runs: a thousand small steps, DYNAMIC_BATCHING=steps:64",
      note: "p50 in milliseconds. A bare run of 16 rows over one of 1 row: what there is to gain.",
      columns: [
        "connections",
        "alone, a second",
        "joined, a second",
        "ratio",
        "alone p50",
        "joined p50",
        "bare 16 / 1 rows",
      ],
      rows: [1, 64].map((connections) => [
        String(connections),
        summary(get(`steps alone ${connections} rps`), 0),
        summary(get(`steps joined ${connections} rps`), 0),
        summary(
          ratio(get(`steps joined ${connections} rps`), get(`steps alone ${connections} rps`)),
          2,
        ),
        summary(get(`steps alone ${connections} p50`), 2),
        summary(get(`steps joined ${connections} p50`), 2),
        summary(ratio(get("steps bare 16"), get("steps bare 1")), 2),
      ]),
    },
  ];
}
