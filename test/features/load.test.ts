import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { nearcast } from "../cli/nearcast.ts";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";
import { COLUMNS } from "../tasks/columns-model.ts";
import { churnFolder, openChurn } from "./service.ts";

const folder = await churnFolder({ maxAgeSeconds: 86_400 });
const files = await mkdtemp(join(tmpdir(), "nearcast-tables-"));
const NOW = new Date(Date.now() - 60_000).toISOString();
const BEFORE = new Date(Date.now() - 600_000).toISOString();

async function table(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(files, name);
  await writeFile(path, content);
  return path;
}

const HEADER = "customer_id,age,member,city,event_timestamp,other\n";
const TABLES = {
  csv: () =>
    table(
      "t.csv",
      `${HEADER}42,29,false,Bergen,${BEFORE},x\n42,30,true,Oslo,${NOW},x\n42,29,false,Bergen,${BEFORE},x\n43,41,false,Bergen,${NOW},y\n`,
    ),
  jsonl: () =>
    table(
      "t.jsonl",
      [
        { customer_id: 42, age: 30, member: true, city: "Oslo", event_timestamp: NOW },
        { customer_id: 43, age: 41, member: false, city: "Bergen", event_timestamp: NOW },
      ]
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    ),
  parquet: () =>
    table(
      "t.parquet",
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: "customer_id", data: [42n, 43n], type: "INT64" },
            { name: "age", data: [30, 41], type: "INT32" },
            { name: "member", data: [true, false], type: "BOOLEAN" },
            { name: "city", data: ["Oslo", "Bergen"], type: "STRING" },
            { name: "event_timestamp", data: [new Date(NOW), new Date(NOW)], type: "TIMESTAMP" },
          ],
        }),
      ),
    ),
};

const KEY = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };
let redis: RealRedis | undefined;
let s3: S3Server;
beforeAll(async () => {
  if (hasRedis) redis = await startRealRedis();
  s3 = await startS3({ buckets: ["tables"] });
});
afterAll(() => Promise.all([redis?.stop(), s3.close()]));

const load = (path: string, to: string, env: Record<string, string> = {}) =>
  nearcast(["features", "load", path, "--for", "churn", "--models", folder, "--to", to], { env });

async function expectLoaded(to: string, env: Record<string, string> = {}) {
  const { predict, whole } = openChurn(folder, {}, { FEATURE_SOURCES: to, ...env });
  const answer = await predict([42, 43].map((customer_id) => ({ customer_id, income: 1 })));
  expect(answer.outputs).toEqual(
    await whole([
      { age: 30, member: true, city: "Oslo", income: 1 },
      { age: 41, member: false, city: "Bergen", income: 1 },
    ]),
  );
  expect(answer.features).toMatchObject({
    age: { found: 2, oldestSeconds: expect.closeTo(60, -2) as number },
  });
}

describe.each(["folder", "redis", "s3"] as const)("to %s", (place) => {
  const places = {
    folder: (ending: string) => join(files, `as-${ending}`),
    redis: () => redis?.url,
    s3: (ending: string) => `s3://tables/${ending}`,
  };
  test.runIf(place !== "redis" || hasRedis).each(Object.keys(TABLES) as (keyof typeof TABLES)[])(
    "a table in .%s is loaded, and answers",
    async (ending) => {
      const to = `customers=${places[place](ending)}`;
      const env = { ...KEY, S3_ENDPOINT: s3.endpoint, S3_FORCE_PATH_STYLE: "true" };
      const outcome = await load(await TABLES[ending](), to, place === "s3" ? env : {});
      expect(outcome).toMatchObject({ code: 0, stderr: "" });
      expect(outcome.stdout).toBe("customers has the features of 2 entities.\n");
      for (const [name, value] of Object.entries(KEY)) vi.stubEnv(name, value);
      onTestFinished(() => void vi.unstubAllEnvs());
      await expectLoaded(to, place === "s3" ? env : {});
    },
  );
});

test("what S3 refuses is said", async () => {
  const env = { ...KEY, S3_ENDPOINT: s3.endpoint, S3_FORCE_PATH_STYLE: "true" };
  const outcome = await load(await TABLES.csv(), "customers=s3://nowhere/x", env);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain("The bucket does not exist.");
});

test("a number that the graph's datatype cannot hold is refused", async () => {
  const small = await churnFolder(
    { features: [{ name: "income" }] },
    { features: [...COLUMNS] as Manifest["features"] },
  );
  const path = await table("large.csv", "customer_id,income\n42,1e39\n");
  const { code, stderr } = await nearcast(
    ["features", "load", path, "--for", "churn", "--models", small, "--to", `customers=${join(files, "large")}`], // oxfmt-ignore
  );
  expect(stderr).toContain("Line 2: income must be a number.");
  expect(code).toBe(1);
});

test("a table is loaded again as a whole, to a source that FEATURE_SOURCES names", async () => {
  const to = `customers=${join(files, "again")}`;
  const env = { FEATURE_SOURCES: `other=nowhere, ${to}` };
  const old = await table("old.csv", "customer_id,age,member,city\n7,1,true,Oslo\n");
  const outcome = await load(old, "customers", env);
  expect(outcome.stdout).toContain("1 of them do not say when their values were so");
  for (let time = 0; time < 3; time++)
    expect((await load(await TABLES.csv(), "customers", env)).code).toBe(0);
  await expectLoaded(to);
  const { predict } = openChurn(folder, {}, { FEATURE_SOURCES: to });
  expect((await predict({ customer_id: 7, income: 1 })).detail).toContain(
    "is not known to customers",
  );
});

test("times in milliseconds are read from .csv too", async () => {
  const to = `customers=${join(files, "milliseconds")}`;
  const [now, before] = [Date.parse(NOW), Date.parse(BEFORE)];
  const rows = [
    `42,29,false,Bergen,${before},x`,
    `42,30,true,Oslo,${now},x`,
    `43,41,false,Bergen,${now},y`,
  ];
  const path = await table("ms.csv", `${HEADER}${rows.join("\n")}\n`);
  expect(await load(path, to)).toMatchObject({ code: 0, stderr: "" });
  await expectLoaded(to);
});

test("what is wrong with a table is said with its line, and nothing is written", async () => {
  const to = `customers=${join(files, "never")}`;
  for (const [content, words] of [
    [
      `${HEADER}42,30,true,Oslo,${NOW},x\n,30,true,Oslo,${NOW},x\n`,
      "Line 3: customer_id is missing.",
    ],
    [`${HEADER}42,30.5,true,Oslo,${NOW},x\n`, "Line 2: age must be an integer."],
    [`${HEADER}42,30,true,Paris,${NOW},x\n`, 'Line 2: city must be one of "Oslo", "Bergen".'],
    [
      `${HEADER}42,30,true,Oslo,2026-01-01 10:00,x\n`,
      "Line 2: event_timestamp must be a time with its zone",
    ],
    [
      `${HEADER}42,30,true,Oslo,2999-01-01T00:00:00Z,x\n`,
      "Line 2: event_timestamp is in the future",
    ],
    ["customer_id,age,member\n42,30,true\n", "city"],
  ] as const) {
    const { code, stderr } = await load(await table("wrong.csv", content), to);
    expect(code).toBe(1);
    expect(stderr).toContain(words);
  }
  expect((await load(await table("t.txt", ""), to)).stderr).toContain(
    "is neither .csv nor .jsonl nor .parquet",
  );
  expect((await load(await TABLES.csv(), "nobody")).stderr).toContain("a name of FEATURE_SOURCES");
  const twice = { FEATURE_SOURCES: "customers=a,customers=b" };
  expect((await load(await TABLES.csv(), "customers", twice)).stderr).toContain(
    "FEATURE_SOURCES must have each name once",
  );
  const whole = await nearcast([
    "features",
    "load",
    await TABLES.csv(),
    "--for",
    "whole",
    "--models",
    folder,
    "--to",
    to,
  ]);
  expect(whole.stderr).toContain("The manifest of whole has no lookup");
});
