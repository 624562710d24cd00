// `npm run bench -- --only overhead`: processor time of an iris prediction in a server that counts nothing, in one with
// metrics, and in one that also has a version on trial, a baseline and feedback.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelsWithBaseline } from "../test/drift/models-with-baseline.ts";
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import { PATIENT, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { ratio, summary, type Record } from "./statistics.ts";
import { measureTogether } from "./together.ts";

export const OVERHEAD_ROUNDS = 9;
/** To each server, in one turn: some two seconds, in which it has the core and its caches for itself, as a busy server has. */
const REQUESTS = 50_000;
const TURNS = 2;
const CONNECTIONS = 16;

const ROWS = {
  nothing: "nothing is counted",
  again: "the same once more: what a difference of processes is",
  assigned: "nothing is counted, a version on trial",
  metrics: "metrics",
  trial: "metrics, a version on trial",
  drift: "metrics, a version on trial, a baseline",
  all: "metrics, a version on trial, a baseline, feedback",
};
type Name = keyof typeof ROWS;

/** What counts beside the server that answers with the same versions and counts nothing. */
const UNCOUNTED: { [name in Name]?: Name } = {
  metrics: "nothing",
  trial: "assigned",
  drift: "assigned",
  all: "assigned",
};

/** `measure` is one round: it starts all servers anew, since two processes of the same code differ by a few per cent. */
export async function startOverhead() {
  const folders = await overheadFolders();
  const nothing = { OBSERVERS: "off" };
  const settings: { [name in Name]: { [name: string]: string } } = {
    nothing,
    again: nothing,
    assigned: { ...nothing, STORE: folders.trial },
    metrics: {},
    trial: { STORE: folders.trial },
    drift: { STORE: folders.drift },
    all: { STORE: folders.all },
  };

  return {
    async measure(record: Record, round: number): Promise<void> {
      const started: (NodeServer & { name: string })[] = [];
      try {
        for (const [name, env] of inTurn(Object.entries(settings), round))
          started.push({ name, ...(await start(env)) });
        for (const { pid } of started) pin(pid, SERVER_CORE);
        const times = await measureTogether({
          servers: started.map(({ name, pid, url }) => ({
            name,
            pid,
            url: `${url}/v1/models/iris/predict`,
          })),
          model: "iris",
          connections: CONNECTIONS,
          amount: REQUESTS,
          turns: TURNS,
        });
        for (const [name, time] of Object.entries(times)) record.add(name, time);
      } finally {
        await Promise.all(started.map((server) => server.stop()));
      }
    },
    async stop(): Promise<void> {
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
      note: `No access log. Processor time of a request, kernel included. In each round all servers start anew, share one core, and are asked in turns: ${TURNS} times ${REQUESTS} requests over ${CONNECTIONS} connections. Ratios are of the same rounds. A version on trial is a second session, whether anything is counted or not.`,
      columns: ["", "CPU, µs", "to nothing", "counting alone"],
      rows: Object.entries(ROWS).map(([name, what]) => {
        const uncounted = UNCOUNTED[name as Name];
        return [
          what,
          summary(get(name), 1),
          summary(ratio(get(name), get("nothing")), 3),
          uncounted ? summary(ratio(get(name), get(uncounted)), 3) : "",
        ];
      }),
    },
  ];
}
