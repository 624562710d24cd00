// `npm run bench -- --only overhead`: processor time of an iris prediction in a server that counts nothing, in one with
// metrics, and in one that also has a version on trial, a baseline and feedback.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelsWithBaseline } from "../test/drift/models-with-baseline.ts";
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import { measureLoad } from "./load.ts";
import { PATIENT, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { ratio, summary, type Record } from "./statistics.ts";

export const OVERHEAD_ROUNDS = 9;
const SECONDS = 1.5;
const CONNECTIONS = 32;

const ROWS = {
  nothing: "nothing is counted",
  metrics: "metrics",
  trial: "metrics, a version on trial",
  drift: "metrics, a version on trial, a baseline",
  all: "metrics, a version on trial, a baseline, feedback",
};
type Name = keyof typeof ROWS;

/** Starts the servers. `measure` is one round over all of them. */
export async function startOverhead() {
  const folders = {
    trial: await judged({ baseline: false, feedback: false }),
    drift: await judged({ baseline: true, feedback: false }),
    all: await judged({ baseline: true, feedback: true }),
  };
  const servers: { [name in Name]: NodeServer } = {
    nothing: await start({ OBSERVERS: "off" }),
    metrics: await start({}),
    trial: await start({ STORE: folders.trial }),
    drift: await start({ STORE: folders.drift }),
    all: await start({ STORE: folders.all }),
  };
  for (const { pid } of Object.values(servers)) pin(pid, SERVER_CORE);

  return {
    async measure(record: Record, round: number): Promise<void> {
      for (const name of inTurn(Object.keys(ROWS) as Name[], round)) {
        const { pid, url } = servers[name];
        const { cpu } = await measureLoad(pid, {
          url: `${url}/v1/models/iris/predict`,
          requests: { model: "iris" },
          connections: CONNECTIONS,
          seconds: SECONDS,
        });
        record.add(name, cpu);
      }
    },
    async stop(): Promise<void> {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
      for (const folder of Object.values(folders)) await rm(folder, { recursive: true });
    },
  };
}

function start(env: { [name: string]: string }): Promise<NodeServer> {
  return startNodeServer({
    entry: join(import.meta.dirname, "observed-server.ts"),
    nodeFlags: V8_FLAGS,
    env: { ...PATIENT, ACCESS_LOG: "false", AUTH: "none", STORE: "models", ...env },
  });
}

/** Iris in two versions, half of the calls each. */
async function judged(has: { baseline: boolean; feedback: boolean }): Promise<string> {
  const models = await modelsWithBaseline();
  await mkdir(join(models, "iris/2"));
  await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
  for (const version of ["1", "2"]) {
    const path = join(models, "iris", version, "model.json");
    const { baseline, ...manifest } = JSON.parse(await readFile(path, "utf8")) as {
      baseline: unknown;
    };
    const own = {
      ...manifest,
      version,
      ...(has.baseline && { baseline }),
      ...(has.feedback && { feedback: { keptSeconds: 600, calibrated: true } }),
    };
    await writeFile(path, JSON.stringify(own));
  }
  const segments = [{ id: 1, since: new Date().toISOString(), share: 0.5 }];
  const candidates = [{ version: "2", percent: 50, segments }];
  const release = { schema: 2, revision: 1, stable: "1", salt: "s", candidates };
  await writeFile(join(models, "iris/release.json"), JSON.stringify(release));
  return models;
}

export function overheadTables({ get }: Record): Table[] {
  return [
    {
      title: "What counting costs, iris",
      note: `${CONNECTIONS} connections, no access log. Processor time of a request, kernel included; ratios are of the same rounds.`,
      columns: ["", "CPU, µs", "to nothing"],
      rows: Object.entries(ROWS).map(([name, what]) => [
        what,
        summary(get(name), 1),
        summary(ratio(get(name), get("nothing")), 3),
      ]),
    },
  ];
}
