import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { createPostgresPool } from "../../functions/platform/features/postgres-pool.ts";
import {
  type AskPostgres,
  createPostgresSource,
} from "../../functions/platform/features/postgres.ts";
import { featureSourceContract } from "../../functions/testing.ts";
import { hasPostgres, startRealPostgres, type RealPostgres } from "../harness/real-postgres.ts";
import { startWorker } from "../harness/worker.ts";
import { type Answer, churnFolder, customers, openChurn } from "./service.ts";

describe.skipIf(!hasPostgres)("Postgres", () => {
  let server: RealPostgres;
  let client: pg.Client;
  let pool: AskPostgres;
  let tables = 0;
  beforeAll(async () => {
    server = await startRealPostgres();
    pool = createPostgresPool(server.url);
    client = new pg.Client(server.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  /** Makes a table of these rows, with columns of their types. */
  async function write(rows: readonly StoredFeatures[]): Promise<string> {
    const table = `features_${tables++}`;
    const sample: Record<string, unknown> = {};
    for (const { keys, values } of rows)
      for (const [name, value] of Object.entries({ ...keys, ...values })) sample[name] ??= value;
    const columns = Object.entries(sample).map(([name, value]) => `"${name}" ${typeOf(value)}`);
    await client.query(`CREATE TABLE ${table} (${columns.join(", ")}, at timestamptz)`);
    for (const { keys, values, at } of rows) {
      const row = { ...keys, ...values, at: at === undefined ? null : new Date(at) };
      const names = Object.keys(row).map((name) => `"${name}"`);
      const places = names.map((_, index) => `$${index + 1}`);
      await client.query(
        `INSERT INTO ${table} (${names.join(", ")}) VALUES (${places.join(", ")})`,
        Object.values(row),
      );
    }
    return table;
  }

  for (const { name, run } of featureSourceContract(async (rows) => {
    const table = await write(rows);
    return createPostgresSource("customers", { table, at: "at" }, pool);
  }))
    test(name, run);

  test("1,000 entities are one query", async () => {
    let queries = 0;
    const counting: AskPostgres = (...asked) => {
      queries += 1;
      return pool(...asked);
    };
    const place = { table: await write(customers()), at: "at" };
    const source = createPostgresSource("customers", place, counting);
    const entities = Array.from({ length: 1000 }, (_, index) => ({ customer_id: index }));
    const rows = await source.read(entities, ["city"], { signal: AbortSignal.timeout(60_000) });
    expect([rows[42]?.values, rows.length, queries]).toEqual([["Oslo"], 1000, 1]);
  });

  const endOthers = () =>
    client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );

  /** Opens the model over a table. */
  async function open(table: string, { timeoutMs = 10_000, at = "&at=at", url = server.url } = {}) {
    const folder = await churnFolder({ maxAgeSeconds: 3600, cacheSeconds: 0, timeoutMs });
    const env = { FEATURE_SOURCES: `customers=${url}?table=${table}${at}` };
    const { predict, whole } = openChurn(folder, {}, env);
    return { whole, ask: (customer_id: number) => predict({ customer_id, income: 1 }) };
  }

  test("answers as for features sent whole; the latest row counts; stale, missing and of the wrong type as the manifest says", async () => {
    const [first] = customers();
    const table = await write([
      ...customers(),
      ...customers(Date.now() - 7200_000).map((row) => ({
        ...row,
        values: { ...row.values, age: 1 },
      })),
      { ...(first as StoredFeatures), keys: { customer_id: 1 }, at: Date.now() - 7200_000 },
    ]);
    const { ask, whole } = await open(table);
    expect(await ask(42)).toMatchObject({
      outputs: await whole({ age: 30, member: true, city: "Oslo", income: 1 }),
      features: { age: { status: "found", ageSeconds: expect.closeTo(60, -2) as number } },
    });
    expect((await ask(1)).detail).toContain("only from more than 3600 s ago");
    expect((await ask(3)).detail).toContain("is not known to customers");
    const wrong = { keys: { customer_id: 2 }, values: { age: "30", member: true, city: "Oslo" } };
    const other = await open(await write([{ ...wrong, at: Date.now() }]));
    expect(await other.ask(2)).toMatchObject({ status: 502, code: "features_invalid" });
  });

  test("two rows of an entity without a time are not chosen from", async () => {
    const [first] = customers();
    const { ask } = await open(await write([...customers(), first as StoredFeatures]), { at: "" });
    expect(await ask(42)).toMatchObject({ status: 502, code: "features_invalid" });
    // Nothing says how old it is.
    expect((await ask(43)).detail).toContain("more than 3600 s ago");
  });

  test("a view that is slow is 504, and what nobody waits for holds no connection", async () => {
    const table = await write(customers());
    await client.query("CREATE TABLE mode AS SELECT true AS is_slow");
    const sleep = "CASE WHEN (SELECT is_slow FROM mode) THEN pg_sleep(60)::text END";
    await client.query(`CREATE VIEW slow AS SELECT *, ${sleep} AS slept FROM ${table}`);
    await client.query(
      `CREATE VIEW asleep AS SELECT * FROM slow WHERE slept IS NULL OR slept = ''`,
    );
    const { ask } = await open("asleep", { timeoutMs: 1000 });
    // More than there are connections.
    const answers = await Promise.all(Array.from({ length: 6 }, async () => ask(42)));
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => "features_late"));
    await client.query("UPDATE mode SET is_slow = false");
    await expect.poll(async () => (await ask(42)).status).toBe(200);
  });

  test("a connection that was closed meanwhile is opened again", async () => {
    const { ask } = await open(await write(customers()));
    expect((await ask(42)).status).toBe(200);
    await endOthers();
    expect((await ask(42)).status).toBe(200);
  });

  test("a Worker asks through Hyperdrive; stale, missing, of the wrong type, slow and down as the manifest says", async () => {
    const table = await write([
      ...customers(),
      { keys: { customer_id: 2 }, values: { age: 1, member: true, city: "Oslo" }, at: 0 },
    ]);
    await client.query(`CREATE VIEW people AS SELECT * FROM ${table}`);
    const lookup = { maxAgeSeconds: 3600, cacheSeconds: 0, timeoutMs: 4000 };
    const folder = await churnFolder(lookup);
    const root = join(import.meta.dirname, "../..");
    const toml = await readFile(join(root, "wrangler.toml"), "utf8");
    const worker = await startWorker({
      directory: join(root, "dist/worker"),
      compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(toml)?.[1] ?? "",
      hyperdrive: { DB: server.url.replace("nearcast@", "nearcast:word@") },
      vars: { AUTH: "none", FEATURE_SOURCES: `customers=hyperdrive://DB?table=people&at=at` },
    });
    onTestFinished(() => worker.stop());
    for (const model of ["churn", "whole"])
      for (const file of ["1/model.json", "1/model.onnx", "release.json"])
        await worker.put(`${model}/${file}`, await readFile(join(folder, model, file)));
    const ask = async (model: string, inputs: object) => {
      const response = await worker.fetch(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs }),
      });
      return (await response.json()) as Answer;
    };
    const given = { age: 30, member: true, city: "Oslo", income: 1 };
    const { outputs } = await ask("whole", given);
    // Each request has a connection of its own.
    for (let time = 0; time < 3; time++)
      expect(await ask("churn", { customer_id: 42, income: 1 })).toMatchObject({
        outputs,
        features: { age: { status: "found", ageSeconds: expect.closeTo(60, -2) as number } },
      });
    const of = (customer_id: number) => ask("churn", { customer_id, income: 1 });
    expect((await of(2)).detail).toContain("only from more than 3600 s ago");
    expect((await of(3)).detail).toContain("is not known to customers");
    const change = async (query: string) => {
      // Whoever still reads the view keeps it from being changed.
      await endOthers();
      await client.query(`DROP VIEW people; ${query}`);
    };
    await change(`CREATE VIEW people AS SELECT customer_id, age::text, member, city, at FROM ${table}`); // oxfmt-ignore
    expect(await of(42)).toMatchObject({ code: "features_invalid" });
    await change(`CREATE VIEW people AS SELECT ${table}.* FROM ${table}, pg_sleep(60)`);
    expect(await of(42)).toMatchObject({ code: "features_late" });
    await change("");
    expect(await of(42)).toMatchObject({ code: "features_unavailable" });
  });

  test("a table that is not there, and a server that is down, are 503", async () => {
    const unavailable = { status: 503, code: "features_unavailable" };
    expect(await (await open("nothing")).ask(42)).toMatchObject(unavailable);
    const down = await open("nothing", { url: "postgres://nearcast@127.0.0.1:9/postgres" });
    expect(await down.ask(42)).toMatchObject(unavailable);
  });
});

function typeOf(value: unknown): string {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return "text";
  return Number.isInteger(value) ? "bigint" : "float8";
}
