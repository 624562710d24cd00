// The ratios of the service to the least code for the same work, in four minutes: few rounds, and all in the same ones.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { startS3 } from "../cli/local/s3-server.ts";
import { startNodeServer, V8_FLAGS, type NodeServer } from "../test/harness/node-server.ts";
import type { Bare } from "./bare/build.ts";
import { BUCKET, lambda, modelKeys, worker } from "./cold-start.ts";
import { measureLoad, type Load } from "./load.ts";
import { PATIENT, pin, runChild, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { measureTogether } from "./together.ts";
import { ratio, summary, type Record } from "./statistics.ts";
import { warmMemory } from "./warm-memory.ts";

export const QUICK_ROUNDS = 3;
const SECONDS = 0.7;
/** Images in one turn: with fewer, single collections of all the memory decide. */
const IMAGES = 300;
const IDENTITY = "test/fixtures/identity";
const NATIVE = (model: string) => `/v1/models/${model}/predict`;

type Names = "quiet" | "logged" | "image" | "checked" | "floor" | "raw";
type Contest = Pick<Load, "requests" | "connections"> & {
  /** Each server with the path that it is asked at. The floors are the last. */
  asked: [server: Names, path: string][];
};

const CONTESTS: { [name: string]: Contest } = {
  "iris 32": {
    requests: { model: "iris" },
    connections: 32,
    asked: [
      ["quiet", NATIVE("iris")],
      ["logged", NATIVE("iris")],
      ["checked", NATIVE("iris")],
      ["floor", "/"],
    ],
  },
  "iris 1": rowsContest({ model: "iris" }, 1),
  sentiment: rowsContest({ model: "sentiment" }, 32),
  "10 rows": rowsContest({ model: "iris", rows: 10 }, 32),
  "100 rows": rowsContest({ model: "iris", rows: 100 }, 32),
};

function rowsContest(requests: { model: string; rows?: number }, connections: number): Contest {
  const { model } = requests;
  return {
    requests,
    connections,
    asked: [
      ["quiet", NATIVE(model)],
      ["checked", NATIVE(model)],
      ["floor", `/${model}`],
    ],
  };
}

/** Starts the servers. `measure` is one round over all of them. `end` adds the memory that sessions take. */
export async function startQuick(bare: Bare) {
  const keys = await modelKeys();
  const s3 = await startS3({ buckets: [BUCKET] });
  for (const key of keys) s3.put(BUCKET, key, await readFile(`models/${key}`));
  const quiet = { ...PATIENT, ACCESS_LOG: "false" };
  const servers: { [name in Names]: NodeServer } = {
    quiet: await startNodeServer({ env: quiet }),
    logged: await startNodeServer({ env: PATIENT }),
    image: await startNodeServer({ env: { ...quiet, STORE: IDENTITY } }),
    checked: await startNodeServer({ entry: bare.checkedServer, nodeFlags: V8_FLAGS }),
    floor: await startNodeServer({ entry: bare.server, nodeFlags: V8_FLAGS }),
    raw: await startNodeServer({ entry: bare.tensorServer, nodeFlags: V8_FLAGS }),
  };
  for (const { pid } of Object.values(servers)) pin(pid, SERVER_CORE);
  const warm = await warmMemory(servers.quiet);

  async function measureServer(record: Record, name: string, server: Names, load: LoadOptions) {
    const { pid, url } = servers[server];
    const result = await measureLoad(pid, { ...load, url: url + load.path, seconds: SECONDS });
    for (const key of ["cpu", "p50", "p99"] as const)
      record.add(`${name} ${server} ${key}`, result[key]);
  }

  return {
    async measure(record: Record, round: number): Promise<void> {
      for (const [name, { requests, connections, asked }] of Object.entries(CONTESTS))
        for (const [server, path] of inTurn(asked, round))
          await measureServer(record, name, server, { requests, connections, path });
      if (round === 0) return;
      const images = [
        ["image", "/v2/models/image/infer", "binary"],
        ["checked", "/v2/models/image/infer", "binary"],
        ["raw", "/image", "raw"],
      ] as const;
      const tensors = images.map(([name, path, format]) => ({
        name,
        pid: servers[name].pid,
        url: servers[name].url + path,
        tensors: { tensors: "image" as const, format },
      }));
      const cpu = await measureTogether({
        servers: tensors,
        turns: 1,
        connections: 1,
        amount: IMAGES,
      });
      for (const { name } of tensors) record.add(`image ${name} cpu`, cpu[name] ?? NaN);
      const lambdas = [
        ["lambda", resolve("dist/lambda", process.arch)],
        ["lambda bare", bare.lambda],
        ["lambda checked", bare.checkedLambda],
      ] as const;
      for (const [name, directory] of inTurn(lambdas, round)) {
        const { total, warm: calls } = await lambda(directory, s3, ["iris"]);
        record.add(`${name} cold`, total);
        record.add(`${name} warm`, calls?.get("iris") ?? NaN);
      }
      const workers = [
        ["worker", "dist/worker"],
        ["worker bare", bare.worker],
        ["worker checked", bare.checkedWorker],
      ] as const;
      for (const [name, directory] of inTurn(workers, round)) {
        const { firstRequest, warmCpu } = await worker(directory, keys);
        record.add(`${name} first`, firstRequest);
        record.add(`${name} warm`, warmCpu);
      }
    },
    async end(record: Record): Promise<void> {
      const alone = await runChild<{ now: number }>(bare.sessions, null, SERVER_CORE, V8_FLAGS);
      record.add("memory", warm);
      record.add("memory bare", alone.now);
    },
    async stop(): Promise<void> {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
      await s3.close();
    },
  };
}

type LoadOptions = Pick<Load, "requests" | "connections"> & { path: string };

/**
 * What is measured: its name, the service's record, the floor's, the highest ratio that is aimed at, and the record of the
 * least code with the same checks.
 */
const ROWS: [what: string, service: string, floor: string, target: number, checked?: string][] = [
  [
    "iris, 32 connections, CPU µs",
    "iris 32 quiet cpu",
    "iris 32 floor cpu",
    1.35,
    "iris 32 checked cpu",
  ],
  ["the same with the log", "iris 32 logged cpu", "iris 32 floor cpu", 1.45, "iris 32 checked cpu"],
  ["iris, 1 connection, CPU µs", "iris 1 quiet cpu", "iris 1 floor cpu", 1.4, "iris 1 checked cpu"],
  ["iris, 1 connection, p99 ms", "iris 1 quiet p99", "iris 1 floor p99", 1.3, "iris 1 checked p99"],
  [
    "sentiment, 32 connections, CPU µs",
    "sentiment quiet cpu",
    "sentiment floor cpu",
    1.15,
    "sentiment checked cpu",
  ],
  [
    "10 iris rows, 32 connections, CPU µs",
    "10 rows quiet cpu",
    "10 rows floor cpu",
    1.3,
    "10 rows checked cpu",
  ],
  [
    "100 iris rows, 32 connections, CPU µs",
    "100 rows quiet cpu",
    "100 rows floor cpu",
    1.2,
    "100 rows checked cpu",
  ],
  [
    "image's tensor in binary, CPU µs",
    "image image cpu",
    "image raw cpu",
    1.2,
    "image checked cpu",
  ],
  ["Lambda, warm request, ms", "lambda warm", "lambda bare warm", 1.6, "lambda checked warm"],
  [
    "Lambda, start to first answer, ms",
    "lambda cold",
    "lambda bare cold",
    1,
    "lambda checked cold",
  ],
  ["Worker, first request, ms", "worker first", "worker bare first", 1, "worker checked first"],
  ["Worker, warm request, CPU µs", "worker warm", "worker bare warm", 1.15, "worker checked warm"],
  ["memory, all models warm, MiB", "memory", "memory bare", 1.25],
];

export function quickTables({ get }: Record): Table[] {
  return [
    {
      title: "The service and the least code for the same work",
      note:
        "Floors: node:http with one run, a script with the sessions, a handler over S3, a Worker over R2. The least code with " +
        "the same checks (bench/bare/checked-*.ts) also has ids, a deadline, bounds, phases, metrics and header fields. " +
        `CPU is of a request, kernel included. Rounds are short (${SECONDS} s): a single figure can be off by a tenth.`,
      columns: [
        "what",
        "service",
        "floor",
        "ratio",
        "target",
        "least code with the same checks",
        "ratio",
      ],
      rows: ROWS.map(([what, service, floor, target, checked]) => [
        what,
        summary(get(service), 2),
        summary(get(floor), 2),
        summary(ratio(get(service), get(floor)), 2),
        String(target),
        ...(checked
          ? [summary(get(checked), 2), summary(ratio(get(service), get(checked)), 2)]
          : ["", ""]),
      ]),
    },
  ];
}
