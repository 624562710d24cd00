// `npm run bench:peers` compares the Node server with its alternatives, on the same ONNX files.
// Needs python3 with venv; installs the pinned requirements under .cache/peers.
import { join } from "node:path";
import { setup as build } from "../test/harness/build.ts";
import { buildBare } from "./bare/build.ts";
import { measureLoad } from "./load.ts";
import { peerTables, LOADS } from "./peers/tables.ts";
import {
  peersWith,
  pinnedVersion,
  startPeer,
  type Peer,
  type RunningPeer,
} from "./peers/servers.ts";
import { treeMemory } from "./processes.ts";
import { ONE_CORE_EACH, writeReport } from "./report.ts";
import { inRounds, inTurn, ROUNDS } from "./rounds.ts";
import type { Record as Measured } from "./statistics.ts";
import { createWorkload } from "./workload.ts";

const SECONDS = 1.5;

process.chdir(join(import.meta.dirname, ".."));
await build();
const PEERS = peersWith(await buildBare());
let record: Measured;
const running = new Map<Peer, RunningPeer>();
try {
  for (const peer of PEERS) running.set(peer, await start(peer));
  record = await inRounds(async (measured, round) => {
    for (const { model, connections } of LOADS)
      for (const [peer, { url, pid }] of inTurn([...running], round)) {
        if (peer.models && !peer.models.includes(model)) continue;
        const result = await measureLoad(pid, {
          url: url(model),
          requests: { model, format: peer.format },
          connections,
          seconds: SECONDS,
        });
        const name = `${peer.name} ${model} ${connections}`;
        measured.add(`${name} rps`, result.requestsPerSecond);
        measured.add(`${name} cpu`, result.cpu);
        measured.add(`${name} p50`, result.p50);
        measured.add(`${name} p99`, result.p99);
      }
    for (const peer of inTurn(PEERS, round)) {
      const cold = await start(peer);
      await cold.stop();
      measured.add(`${peer.name} cold`, cold.coldStart);
    }
  });
  for (const [{ name }, { pid }] of running) record.add(`${name} memory`, await treeMemory(pid));
} finally {
  for (const { stop } of running.values()) await stop();
}
const versions: Record<string, string> = {};
for (const { name, packages } of PEERS)
  for (const packageName of packages)
    versions[packageName] = await pinnedVersion(name, packageName);
await writeReport("peers", peerTables(record, PEERS), {
  rounds: ROUNDS,
  cores: ONE_CORE_EACH,
  versions,
});

async function start(peer: Peer): Promise<RunningPeer> {
  const { bodies, firstLabel } = await createWorkload({ model: "iris", format: peer.format });
  // The Open Inference Protocol answers scores. The first one is setosa's.
  const expected =
    peer.format === "v2" ? /"data":\s*\[\s*0\.9/ : new RegExp(`"label":\\s*"${firstLabel}"`);
  return startPeer(peer, { body: bodies[0] ?? Buffer.alloc(0), expected });
}
