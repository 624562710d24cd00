// `npm run bench:peers`: the Node server beside what users would pick instead, on the same ONNX files.
// Needs python3 with venv; installs the pinned requirements under .cache/peers.
import { join } from "node:path";
import { setup as build } from "../test/harness/build.ts";
import { measureLoad } from "./load.ts";
import { peerTables, LOADS } from "./peers/tables.ts";
import { PEERS, pinnedVersion, startPeer, type Peer, type RunningPeer } from "./peers/servers.ts";
import { treeMemory } from "./processes.ts";
import { writeReport } from "./report.ts";
import { createRecord } from "./statistics.ts";
import { createWorkload } from "./workload.ts";

const ROUNDS = 5;
const SECONDS = 2;

process.chdir(join(import.meta.dirname, ".."));
await build();
let record = createRecord();
const running = new Map<Peer, RunningPeer>();
try {
  for (const peer of PEERS) running.set(peer, await start(peer));
  // The round before the first warms the servers and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    console.error(round === 0 ? "warming up" : `round ${round} of ${ROUNDS}`);
    if (round === 1) record = createRecord();
    for (const { model, connections } of LOADS)
      for (const [peer, { url, pid }] of running) {
        const result = await measureLoad(pid, {
          url: url(model),
          requests: { model, format: peer.format },
          connections,
          seconds: SECONDS,
        });
        const name = `${peer.name} ${model} ${connections}`;
        record.add(`${name} rps`, result.requestsPerSecond);
        record.add(`${name} cpu`, result.cpu);
        record.add(`${name} p50`, result.p50);
        record.add(`${name} p99`, result.p99);
      }
    for (const peer of PEERS) {
      const cold = await start(peer);
      await cold.stop();
      record.add(`${peer.name} cold`, cold.coldStart);
    }
  }
  for (const [peer, { pid }] of running) {
    const { now, peak } = await treeMemory(pid);
    record.add(`${peer.name} memory now`, now);
    record.add(`${peer.name} memory peak`, peak);
  }
} finally {
  for (const { stop } of running.values()) await stop();
}
const versions: Record<string, string> = {};
for (const { name, packages } of PEERS)
  for (const packageName of packages)
    versions[packageName] = await pinnedVersion(name, packageName);
await writeReport(
  "peers",
  await peerTables(
    record,
    PEERS.map(({ name }) => name),
  ),
  ROUNDS,
  versions,
);

async function start(peer: Peer): Promise<RunningPeer> {
  const { bodies, firstLabel } = await createWorkload({ model: "iris", format: peer.format });
  // The Open Inference Protocol answers scores: the first one is setosa's.
  const expected =
    peer.format === "v2" ? /"data":\s*\[\s*0\.9/ : new RegExp(`"label":\\s*"${firstLabel}"`);
  return startPeer(peer, { body: bodies[0] ?? Buffer.alloc(0), expected });
}
