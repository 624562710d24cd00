// `npm run bench -- --only overhead`: processor time of an iris prediction in a server that counts nothing, in one with
// metrics, and in one that also has a version on trial, a baseline and feedback.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelsWithBaseline } from "../test/drift/models-with-baseline.ts";
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import { PATIENT, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { measureSlices } from "./slices.ts";
import { median, ratio, summary, type Record } from "./statistics.ts";

export const OVERHEAD_ROUNDS = 5;
/** In one round, for each server. */
const SLICES = 21;
/** In one slice. */
const REQUESTS = 2000;
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
  const folders = await overheadFolders();
  const servers: { [name in Name]: NodeServer } = {
    nothing: await start({ OBSERVERS: "off" }),
    metrics: await start({}),
    trial: await start({ STORE: folders.trial }),
    drift: await start({ STORE: folders.drift }),
    all: await start({ STORE: folders.all }),
  };
  for (const { pid } of Object.values(servers)) pin(pid, SERVER_CORE);

  return {
    async measure(record: Record): Promise<void> {
      const times = await measureSlices({
        servers: Object.entries(servers).map(([name, { pid, url }]) => ({
          name,
          pid,
          url: `${url}/v1/models/iris/predict`,
        })),
        model: "iris",
        connections: CONNECTIONS,
        amount: REQUESTS,
        rounds: SLICES,
      });
      for (const [name, slices] of Object.entries(times)) record.add(name, median(slices));
    },
    async stop(): Promise<void> {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
      for (const folder of Object.values(folders)) await rm(folder, { recursive: true });
    },
  };
}

/** Folders of models by what is done with them. */
async function overheadFolders() {
  return {
    trial: await judged({ baseline: false, feedback: false }),
    drift: await judged({ baseline: true, feedback: false }),
    all: await judged({ baseline: true, feedback: true }),
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
      note: `${CONNECTIONS} connections, no access log. Processor time of a request, kernel included: of each round, the median of ${SLICES} slices of ${REQUESTS} requests, in which the servers take turns. Ratios are of the same rounds.`,
      columns: ["", "CPU, µs", "to nothing"],
      rows: Object.entries(ROWS).map(([name, what]) => [
        what,
        summary(get(name), 1),
        summary(ratio(get(name), get("nothing")), 3),
      ]),
    },
  ];
}
