// Cold starts and warm requests on Lambda and Workers, beside the least code for the same work.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { startS3 } from "../cli/local/s3-server.ts";
import type { Bare } from "./bare/build.ts";
import { BUCKET, lambda, modelKeys, worker } from "./cold-start.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { ratio, summary, type Record } from "./statistics.ts";
import { buildWithIris, PRELOAD } from "./with-iris.ts";

export const COLD_ROUNDS = 3;
/** In a round all start this often: single starts differ by a third. */
const STARTS = 3;
/** About what S3 takes in a function's own region. */
const FAR_MS = 20;
const SERVICE = "";
const WITH_IRIS = " with iris";
const BARE = " bare";

export async function startCold(bare: Bare) {
  const withIris = await buildWithIris();
  const keys = await modelKeys();
  const s3 = await startS3({ buckets: [BUCKET] });
  s3.slowMs = FAR_MS;
  for (const key of keys) s3.put(BUCKET, key, await readFile(`models/${key}`));
  const lambdas = [
    { name: SERVICE, directory: resolve("dist/lambda", process.arch), env: {} },
    { name: WITH_IRIS, directory: withIris.lambda, env: PRELOAD },
    { name: BARE, directory: bare.lambda, env: {} },
  ];
  const workers = [
    { name: SERVICE, directory: "dist/worker" },
    { name: WITH_IRIS, directory: withIris.worker },
    { name: BARE, directory: bare.worker },
  ];
  return {
    async measure(record: Record, round: number): Promise<void> {
      for (let start = 0; start < STARTS; start++) {
        for (const { name, directory, env } of inTurn(lambdas, round + start)) {
          const { total, init = NaN, warm } = await lambda(directory, s3, ["iris"], env);
          record.add(`lambda${name} total`, total);
          record.add(`lambda${name} init`, init);
          record.add(`lambda${name} warm`, warm?.get("iris") ?? NaN);
        }
        s3.behaviour = "slow";
        for (const { name, directory, env } of inTurn(lambdas, round + start))
          record.add(`lambda${name} far`, (await lambda(directory, s3, [], env)).total);
        s3.behaviour = "ok";
        for (const { name, directory } of inTurn(workers, round + start)) {
          const cold = await worker(directory, keys);
          record.add(`worker${name} first`, cold.firstRequest);
          record.add(`worker${name} all`, cold.start + cold.firstRequest);
          record.add(`worker${name} next`, cold.nextIsolate);
          record.add(`worker${name} warm`, cold.warmCpu);
        }
      }
    },
    stop: () => s3.close(),
  };
}

const ROWS = [
  ["Lambda, start to the first answer, ms", "lambda", "total", 0],
  [`the same where S3 answers after ${FAR_MS} ms`, "lambda", "far", 0],
  ["Lambda, of the first its init phase, ms", "lambda", "init", 0],
  ["Lambda, warm request, ms", "lambda", "warm", 3],
  ["Worker, first request, ms", "worker", "first", 0],
  ["Worker, start and first request, ms", "worker", "all", 0],
  ["Worker, first request of a further isolate, ms", "worker", "next", 0],
  ["Worker, warm request, CPU µs of workerd with its emulator", "worker", "warm", 0],
] as const;

export function coldTables({ get }: Record): Table[] {
  return [
    {
      title: "Cold starts and warm requests, iris",
      note:
        "As deployed by default; with iris in the package, on Lambda with PRELOAD too; and bare. Lambda under the runtime " +
        "interface client, /tmp empty, S3 on loopback; warm with the interface client and HTTP. Worker: workerd with " +
        "its emulator, R2 on loopback, without the access log. The ratios are of starts that followed each other.",
      columns: ["what", "service", "with iris", "bare", "ratio", "ratio with iris"],
      rows: ROWS.map(([what, runtime, part, digits]) => {
        const of = (name: string) => get(`${runtime}${name} ${part}`);
        return [
          what,
          summary(of(SERVICE), digits),
          summary(of(WITH_IRIS), digits),
          summary(of(BARE), digits),
          summary(ratio(of(SERVICE), of(BARE)), 2),
          summary(ratio(of(WITH_IRIS), of(BARE)), 2),
        ];
      }),
    },
  ];
}
