// `npm run bench -- --only overhead`: processor time of an iris prediction in a server that counts nothing, in one with
// metrics, and in one that also has a version on trial, a baseline and feedback. Then all of it and none of it within one process.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelsWithBaseline } from "../test/drift/models-with-baseline.ts";
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import { PATIENT, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { ratio, summary, type Record } from "./statistics.ts";
import { measureTogether, type Together } from "./together.ts";

export const OVERHEAD_ROUNDS = 5;
/** To each server, in one turn: some two seconds, in which it has the core and its caches for itself, as a busy server has. */
const REQUESTS = 50_000;
const TURNS = 2;
/** Within one process: each address is asked so often. */
const TURNS_WITHIN = 6;
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

interface Setting {
  store: string;
  isCounted: boolean;
}

/** `measure` is one round: it starts all servers anew, since two processes of the same code differ by a few per cent. */
export async function startOverhead() {
  const folders = await overheadFolders();
  const nothing = { store: "models", isCounted: false };
  const settings: { [name in Name]: Setting } = {
    nothing,
    again: nothing,
    assigned: { store: folders.trial, isCounted: false },
    metrics: { store: "models", isCounted: true },
    trial: { store: folders.trial, isCounted: true },
    drift: { store: folders.drift, isCounted: true },
    all: { store: folders.all, isCounted: true },
  };

  return {
    async measure(record: Record, round: number): Promise<void> {
      const started: (Observed & Setting & { name: string })[] = [];
      try {
        for (const [name, setting] of inTurn(Object.entries(settings), round))
          started.push({ name, ...setting, ...(await start(setting.store)) });
        const ask = async (servers: Together["servers"], turns: number) => {
          const load = { model: "iris", connections: CONNECTIONS, amount: REQUESTS };
          const times = await measureTogether({ servers, turns, ...load });
          for (const [name, time] of Object.entries(times)) record.add(name, time);
        };
        const apart = started.map(({ name, server: { pid }, isCounted, counted, uncounted }) => {
          return { name, pid, url: isCounted ? counted : uncounted };
        });
        await ask(apart, TURNS);
        const { server, counted, uncounted } = await start(folders.all);
        started.push({ name: "within", server, counted, uncounted, ...settings.all });
        const { pid } = server;
        const within = [
          { name: "within-all", pid, url: counted },
          { name: "within-nothing", pid, url: uncounted },
        ];
        await ask(inTurn(within, round), TURNS_WITHIN);
      } finally {
        await Promise.all(started.map(({ server }) => server.stop()));
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

/** A server, and where it predicts iris with what is counted, and without. */
interface Observed {
  server: NodeServer;
  counted: string;
  uncounted: string;
}

async function start(store: string): Promise<Observed> {
  const server = await startNodeServer({
    entry: join(import.meta.dirname, "observed-server.ts"),
    nodeFlags: V8_FLAGS,
    env: { ...PATIENT, ACCESS_LOG: "false", AUTH: "none", STORE: store },
  });
  pin(server.pid, SERVER_CORE);
  const [counted = "", uncounted = ""] = (server.logs.match(/http:\S+/g) ?? []).map(
    (url) => `${url}/v1/models/iris/predict`,
  );
  return { server, counted, uncounted };
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
    {
      title: "The same within one process",
      note: `One server of each round counts all of it at one address and nothing at another, with a version on trial at both. They are asked in turns: ${TURNS_WITHIN} times ${REQUESTS} requests. No difference between processes is in the ratio. What is written once a second falls to the turn in which it is.`,
      columns: ["", "CPU, µs", "to nothing"],
      rows: [
        ["nothing is counted, a version on trial", summary(get("within-nothing"), 1), ""],
        [
          ROWS.all,
          summary(get("within-all"), 1),
          summary(ratio(get("within-all"), get("within-nothing")), 3),
        ],
      ],
    },
  ];
}
