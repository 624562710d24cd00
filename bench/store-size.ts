// `npm run bench -- --only store` compares 1,000 models in the store with 10, in a folder and in S3.
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startNodeServer, type NodeServer } from "../test/harness/node-server.ts";
import { startS3, type S3Server } from "../cli/local/s3-server.ts";
import { BUCKET, lambda, nodeServer } from "./cold-start.ts";
import { measureLoad } from "./load.ts";
import { PATIENT, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { ratio, summary, type Record } from "./statistics.ts";

const SIZES = [10, 1000] as const;
const SECONDS = 1;
const CACHE = resolve(".cache/bench/stores");
/** One of the models is iris. All requests go to it. */
const MODEL = "iris";

interface Sized {
  size: number;
  folder: string;
  s3: S3Server;
  servers: { folder: NodeServer; s3: NodeServer };
}

/** Starts a server for each size of store. `measure` is one round over all of them. */
export async function startStores() {
  await rm(CACHE, { recursive: true, force: true });
  const stores = await Promise.all(SIZES.map(startStore));
  const servers = stores.flatMap(({ servers }) => [servers.folder, servers.s3]);
  for (const { pid } of servers) pin(pid, SERVER_CORE);

  async function measure(record: Record, round: number): Promise<void> {
    const inOrder = inTurn(stores, round);
    for (const where of ["folder", "s3"] as const)
      for (const { size, servers } of inOrder) {
        const { pid, url } = servers[where];
        const load = { requests: { model: MODEL }, connections: 1, seconds: SECONDS };
        const path = `${url}/v1/models/${MODEL}/predict`;
        record.add(`${where} ${size} p50`, (await measureLoad(pid, { ...load, url: path })).p50);
      }
    for (const { size, folder, s3 } of inOrder) {
      record.add(`folder ${size} cold`, (await nodeServer({ STORE: folder })).total);
      record.add(`s3 ${size} cold`, (await lambda(resolve("dist/lambda", process.arch), s3)).total);
    }
  }

  return {
    measure,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await Promise.all(stores.map(({ s3 }) => s3.close()));
      await rm(CACHE, { recursive: true, force: true });
    },
  };
}

async function startStore(size: number): Promise<Sized> {
  const folder = join(CACHE, String(size));
  await mkdir(folder, { recursive: true });
  await cp(`models/${MODEL}`, join(folder, MODEL), { recursive: true });
  const manifest = JSON.parse(await readFile(`models/${MODEL}/1/model.json`, "utf8")) as object;
  for (let index = 1; index < size; index++) {
    const name = `model-${index}`;
    await cp(`models/${MODEL}`, join(folder, name), { recursive: true });
    await writeFile(join(folder, name, "1/model.json"), JSON.stringify({ ...manifest, name }));
  }
  const s3 = await startS3({ buckets: [BUCKET] });
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    s3.put(BUCKET, path.slice(folder.length + 1).replaceAll("\\", "/"), await readFile(path));
  }
  const overS3 = {
    ...PATIENT,
    STORE: `s3://${BUCKET}`,
    S3_ENDPOINT: s3.endpoint,
    S3_FORCE_PATH_STYLE: "true",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    CACHE_DIR: join(CACHE, `tier-${size}`),
  };
  return {
    size,
    folder,
    s3,
    servers: {
      folder: await startNodeServer({ env: { ...PATIENT, STORE: folder } }),
      s3: await startNodeServer({ env: overS3 }),
    },
  };
}

export function storeTables({ get }: Record): Table[] {
  const [few, many] = SIZES;
  return [
    {
      title: `Models in the store: ${few} and ${many.toLocaleString("en")}`,
      note: "Milliseconds. Cold starts: the Node server over the folder, Lambda over S3.",
      columns: ["what", String(few), many.toLocaleString("en"), "ratio", "at most"],
      rows: [
        ["folder, p50 of a prediction", "folder", "p50", "1.05"],
        ["S3, p50 of a prediction", "s3", "p50", "1.05"],
        ["folder, cold start", "folder", "cold", "1.10"],
        ["S3, cold start", "s3", "cold", "1.10"],
      ].map(([shown = "", where, what, bound = ""]) => {
        const [before, after] = [get(`${where} ${few} ${what}`), get(`${where} ${many} ${what}`)];
        return [
          shown,
          summary(before, 3),
          summary(after, 3),
          summary(ratio(after, before), 3),
          bound,
        ];
      }),
    },
  ];
}
