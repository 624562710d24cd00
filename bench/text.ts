// `npm run bench:text` compares the Node server with FastAPI, `tokenizers` and ONNX Runtime for a text model of 28 MB.
// Needs python3 with venv; installs the pinned requirements and makes the model under .cache/peers.
import { join } from "node:path";
import { setup as build } from "../test/harness/build.ts";
import type { BareLoop } from "./bare/session-run.ts";
import { measureLoad } from "./load.ts";
import { BERT_MODELS, BERT_PEERS, makeBert } from "./peers/bert.ts";
import { pinnedVersion, startPeer, type Peer, type RunningPeer } from "./peers/servers.ts";
import { runChild, SERVER_CORE, treeMemory } from "./processes.ts";
import { ONE_CORE_EACH, writeReport, type Table } from "./report.ts";
import { inRounds, inTurn, ROUNDS } from "./rounds.ts";
import { ratio, summary, type Record as Measured } from "./statistics.ts";
import { createWorkload } from "./workload.ts";

const SECONDS = 3;
const REQUESTS = { model: "bert", models: BERT_MODELS, format: "json" } as const;
const CONNECTIONS = [32, 1];
const FASTAPI = "FastAPI";
/** The floor: the runs of the same texts, and nothing else. */
const ALONE = "session.run alone";

process.chdir(join(import.meta.dirname, ".."));
await build();
await makeBert();
const { bodies } = await createWorkload(REQUESTS);
const running = new Map<Peer, RunningPeer>();
let record: Measured;
try {
  const probe = { body: bodies[0] ?? Buffer.alloc(0), expected: /"label":/ };
  for (const peer of BERT_PEERS) running.set(peer, await startPeer(peer, probe));
  await compareAnswers();
  record = await inRounds(async (measured, round) => {
    const loop: BareLoop = { ...REQUESTS, seconds: SECONDS };
    const { mean } = await runChild<{ mean: number }>("bare/session-run.ts", loop, SERVER_CORE);
    for (const connections of CONNECTIONS) measured.add(`${ALONE} ${connections} cpu`, mean * 1000);
    for (const connections of CONNECTIONS)
      for (const [{ name }, { url, pid }] of inTurn([...running], round)) {
        const load = { url: url("bert"), requests: REQUESTS, connections, seconds: SECONDS };
        const { requestsPerSecond, cpu, p50, p99 } = await measureLoad(pid, load);
        const key = `${name} ${connections}`;
        measured.add(`${key} rps`, requestsPerSecond);
        measured.add(`${key} cpu`, cpu);
        measured.add(`${key} p50`, p50);
        measured.add(`${key} p99`, p99);
      }
  });
  for (const [{ name }, { pid }] of running) record.add(`${name} memory`, await treeMemory(pid));
} finally {
  for (const { stop } of running.values()) await stop();
}
const versions: Record<string, string> = {};
for (const name of ["fastapi", "onnxruntime", "tokenizers"])
  versions[name] = await pinnedVersion("bert", name);
await writeReport("text", CONNECTIONS.map(table), {
  rounds: ROUNDS,
  cores: ONE_CORE_EACH,
  versions,
});

/** All servers must do the same work. Joined runs of INT8 models have scales of their own, and differ a little. */
async function compareAnswers(): Promise<void> {
  const scores = await Promise.all(
    [...running.values()].map(async ({ url }) => {
      const headers = { "content-type": "application/json" };
      const body = new Uint8Array(bodies[1] ?? []);
      const answer = await fetch(url("bert"), { method: "POST", headers, body });
      const { outputs } = (await answer.json()) as { outputs: { scores: Record<string, number> } };
      return outputs.scores["positive"] ?? NaN;
    }),
  );
  if (!scores.every((score) => Math.abs(score - (scores[0] ?? NaN)) < 0.02))
    throw new Error(`The servers answer differently: ${scores.join(", ")}`);
}

function table(connections: number): Table {
  const get = (name: string, what: string) => record.get(`${name} ${connections} ${what}`);
  const cpu = (name: string) => [
    summary(get(name, "cpu"), 0),
    summary(ratio(get(FASTAPI, "cpu"), get(name, "cpu")), 2),
  ];
  return {
    title: `A text model of 28 MB, ${connections} ${connections === 1 ? "connection" : "connections"}`,
    note:
      "BERT-small's shape in INT8 with random weights, one text a request. Latencies in milliseconds, memory in MiB. " +
      "Ratios: requests/s to FastAPI's; FastAPI's processor time a request to this server's.",
    columns: ["server", "requests/s", "ratio", "CPU µs", "ratio", "p50", "p99", "memory"],
    rows: [
      ...BERT_PEERS.map(({ name }) => [
        name,
        summary(get(name, "rps"), 1),
        summary(ratio(get(name, "rps"), get(FASTAPI, "rps")), 2),
        ...cpu(name),
        summary(get(name, "p50"), 1),
        summary(get(name, "p99"), 1),
        summary(record.get(`${name} memory`), 0),
      ]),
      [ALONE, "", "", ...cpu(ALONE), "", "", ""],
    ],
  };
}
