// `npm run bench -- --only spillover`: what an edge adds to an answer that another deployment makes, on loopback. Beside it
// is `node:http` that only passes the request on.
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import { targets } from "../test/harness/targets.ts";
import { measureLoad } from "./load.ts";
import { PATIENT, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { difference, ratio, summary, type Record } from "./statistics.ts";

const SECONDS = 2;
const PATH = "/v1/models/iris/predict";
/** Iris has 64 KiB: it does not fit. */
const SMALL_MB = "0.06";
const SECRET = "a secret for this bench on loopback";

/** Starts a region, and the edges before it. `measure` is one round over all of them. */
export async function startSpillover() {
  const quiet = { ...PATIENT, ACCESS_LOG: "false", AUTH: "none" };
  const region = await startNodeServer({ env: { ...quiet, SPILL_SECRET: SECRET } });
  const spill = { SPILL_URL: region.url, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
  const proxy = await startNodeServer({
    entry: "bench/bare/proxy.ts",
    nodeFlags: V8_FLAGS,
    env: { TARGET: region.url },
  });
  const node = await startNodeServer({ env: { ...quiet, ...spill } });
  const worker = await targets.worker({ env: { ACCESS_LOG: "false", ...spill } });
  const servers: { [name: string]: Pick<NodeServer, "url" | "pid"> } = {
    region,
    proxy,
    node,
    worker: { url: worker.url ?? "", pid: process.pid },
  };
  for (const { pid } of [region, proxy, node]) pin(pid, SERVER_CORE);

  return {
    async measure(record: Record, round: number): Promise<void> {
      for (const [name, { pid, url }] of inTurn(Object.entries(servers), round)) {
        const load = { url: url + PATH, requests: { model: "iris" }, connections: 1 };
        const { cpu, p50 } = await measureLoad(pid, { ...load, seconds: SECONDS });
        record.add(`${name} cpu`, cpu);
        record.add(`${name} p50`, p50);
      }
    },
    stop: () => Promise.all([region, proxy, node, worker].map((server) => server.stop())),
  };
}

const ROWS = [
  ["region", "the region itself"],
  ["proxy", "`node:http` that passes on"],
  ["node", "a Node edge"],
  ["worker", "a Worker in workerd"],
] as const;

export function spilloverTables(record: Record): Table[] {
  const [direct, floor] = [record.get("region p50"), record.get("proxy p50")];
  return [
    {
      title: "An iris prediction that the region answers, one connection",
      note: "Processor time is the edge's own, without the region's; of workerd it was not taken.",
      columns: ["asked", "p50 ms", "added ms", "over node:http", "CPU µs"],
      rows: ROWS.map(([name, what]) => {
        const p50 = record.get(`${name} p50`);
        return [
          what,
          summary(p50, 2),
          summary(difference(p50, direct), 2),
          summary(ratio(p50, floor), 2),
          name === "worker" ? "" : summary(record.get(`${name} cpu`), 0),
        ];
      }),
    },
  ];
}
