import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { expect, test } from "vitest";
import { answerRows } from "../../functions/batches/answer-rows.ts";
import { createKeptEntities } from "../../functions/features/kept.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import type { FeatureRow } from "../../functions/features/source.ts";
import { boundFeatures } from "../../functions/platform/features/bindings.ts";
import { writeToRedis } from "../../functions/platform/features/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { hasRedis, startRealRedis } from "../harness/real-redis.ts";
import { acting, churnFolder, customers, openChurn } from "./service.ts";

const folder = await churnFolder({ cacheSeconds: 0 });
const WITH_DEFAULTS = {
  cacheSeconds: 0,
  features: [
    { name: "age", default: 50 },
    { name: "member", default: true },
    { name: "city", default: "Oslo" },
  ],
};
const input = (customer_id: number) => ({ customer_id, income: 1 });
const values = (at?: unknown) => ({ values: [30, true, "Oslo"], at }) as unknown as FeatureRow;
const openBound = () => boundFeatures([["customers", "redis://:hunter2@host"]], {});
const bytes = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
const entity = (value: unknown) => ({
  row: { values: [value] },
  isWhole: false,
  isDated: false,
  oldestAt: undefined,
  isOfOneTime: false,
});

test.runIf(hasRedis)("a stored record that is malformed spoils its own row alone", async () => {
  const server = await startRealRedis();
  const client = await createClient({ url: server.url }).connect();
  try {
    await writeToRedis(openRedis(server.url), "customers", customers());
    for (const [id, text] of [
      [1, "Alice Smith"],
      [2, '["Alice Smith"]'],
      [3, '{"at": "Alice Smith", "values": {"age": 30}}'],
    ] as const)
      await client.set(`nearcast:features:customers:customer_id=${id}`, text);
    const env = { FEATURE_SOURCES: `customers=${server.url}` };
    for (const lookup of [{ cacheSeconds: 0 }, WITH_DEFAULTS]) {
      const { predict, whole, logs } = openChurn(await churnFolder(lookup), {}, env);
      const all = await predict([42, 1, 2, 3, 43].map(input));
      expect([all.status, all.code]).toEqual([502, "features_invalid"]);
      expect(all.headers.get("retry-after")).toBeNull();
      expect(all.errors).toHaveLength(9);
      expect(all.errors[0]).toEqual({
        path: "inputs[1].age",
        message: "of customers for this customer_id is not readable",
      });
      expect(JSON.stringify([all, logs])).not.toContain("Alice");
      const rows = await answerRows([42, 1, 2, 3, 43].map(input), async (some) => {
        const { outputs, code, detail, errors } = await predict(some);
        return code ? { code, detail, errors } : { outputs };
      });
      const sent = { age: 30, member: true, city: "Oslo", income: 1 };
      expect(rows[0]).toEqual({ output: await whole(sent) });
      expect(rows.map((row) => ("error" in row ? row.error.code : "answered"))).toEqual([
        "answered",
        "features_invalid",
        "features_invalid",
        "features_invalid",
        "answered",
      ]);
    }
  } finally {
    client.destroy();
    await server.stop();
  }
});

test("a malformed shard is told without what is in it, and so is what a source fails with", async () => {
  const place = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  await writeObjects(createFolderStore(place), customers());
  const open = () => openChurn(folder, {}, { FEATURE_SOURCES: `customers=${place}` });
  for (const name of await readdir(place, { recursive: true }))
    if (/[/]0.json$/.test(name)) await writeFile(join(place, name), "Alice Smith");
  const { predict, logs } = open();
  expect(await predict(input(42))).toMatchObject({ status: 502, code: "features_invalid" });
  expect(JSON.stringify(logs)).not.toContain("Alice");
  await writeFile(join(place, "index.json"), "Alice Smith");
  const again = open();
  expect(await again.predict(input(42))).toMatchObject({ status: 503 });
  expect(JSON.stringify(again.logs)).toContain("index.json is not one of features");
  const parsing = acting(async () => JSON.parse("Alice Smith") as []);
  const own = openChurn(folder, { sources: [parsing] });
  expect(await own.predict(input(42))).toMatchObject({ status: 503 });
  expect(JSON.stringify(own.logs)).toContain("what was read is malformed");
  expect(JSON.stringify(own.logs)).not.toContain("Alice");
});

test("a place that Workers do not know is refused without its password", () => {
  expect(openBound).toThrow(/FEATURE_SOURCES: customers must be kv:/);
  expect(openBound).not.toThrow(/hunter2/);
});

test("two places of one name are refused", () => {
  const env = { FEATURE_SOURCES: "customers=a,others=b,customers=c" };
  expect(() => openChurn(folder, {}, env)).toThrow(/FEATURE_SOURCES: must have each name once/);
});

test("values of a time that cannot be are stale", async () => {
  const times = ["2026-01-01T00:00:00Z", NaN, Infinity, Date.now() * 1000, Date.now() + 180_000];
  for (const at of times)
    for (const cacheSeconds of [0, 5]) {
      const source = acting(async () => [values(at)]);
      const { predict } = openChurn(await churnFolder({ cacheSeconds, maxAgeSeconds: 3600 }), {
        sources: [source],
      });
      for (let call = 0; call < 2; call++) {
        const { status, errors } = await predict(input(42));
        expect([status, errors[0]?.message]).toEqual([
          422,
          "is known to customers only with a time that cannot be: send it",
        ]);
      }
      const filled = await openChurn(await churnFolder(WITH_DEFAULTS), {
        sources: [source],
      }).predict(input(42));
      expect(filled.features).toMatchObject({ age: { status: "default", reason: "stale" } });
      expect(filled.headers.get("x-feature-status")).toBe("default=3");
    }
  const ahead = acting(async () => [values(Date.now() + 5000)]);
  const { features } = await openChurn(folder, { sources: [ahead] }).predict(input(42));
  expect(features).toMatchObject({ age: { status: "found", ageSeconds: 0 } });
});

test("null for a time or a problem is as none, since databases have it", async () => {
  const three = [null, null, null];
  for (const of of [
    { at: null, problem: null },
    { at: three, problem: three },
  ])
    for (const sent of [{}, { age: 5 }]) {
      const row = { values: [30, true, "Oslo"], ...of };
      const { predict } = openChurn(folder, { sources: [acting(async () => [row])] });
      const { status, features } = await predict({ ...input(42), ...sent });
      const found = { status: "found" };
      const age = "age" in sent ? { status: "given" } : found;
      expect([status, features]).toEqual([200, { age, member: found, city: found }]);
    }
});

test("rows of a source that are none are its mistake, said in plain words", async () => {
  for (const rows of [
    [undefined],
    [null],
    ["x"],
    [[]],
    [[30, true, "Oslo"]],
    [{ values: [] }],
    [{ values: [30, true] }],
    [{ values: { 0: 30, 1: true, 2: "Oslo" } }],
    [{ values: [30, true, "Oslo"], at: [1] }],
    [{ values: [30, true, "Oslo"], problem: ["stale"] }],
    [{ values: [30, true, "Oslo"], problem: "unreadable" }],
    [{ values: [30, true, "Oslo"], problem: ["unreadable", undefined, undefined] }],
  ]) {
    const source = acting(async () => rows as unknown as FeatureRow[]);
    const { predict } = openChurn(folder, { sources: [source] });
    const { status, code, detail } = await predict(input(42));
    expect([status, code]).toEqual([502, "features_invalid"]);
    expect(detail).toContain("inputs.age of customers for this customer_id is not readable");
  }
  for (const [rows, words] of [
    [null, "gave no list of rows"],
    ["x", "gave no list of rows"],
    [[], "gave 0 rows for 1 entities"],
  ]) {
    const source = acting(async () => rows as unknown as FeatureRow[]);
    const { predict, logs } = openChurn(folder, { sources: [source] });
    expect(await predict(input(42))).toMatchObject({ status: 503, code: "features_unavailable" });
    expect(JSON.stringify(logs)).toContain(words);
  }
});

test("a service that looks up nothing has no memory for it", () => {
  const before = bytes();
  const all = Array.from({ length: 200 }, createKeptEntities);
  expect((bytes() - before) / all.length).toBeLessThan(100 * 1024);
});

test("values that no feature can have are not kept", () => {
  const kept = createKeptEntities();
  kept.set("a", entity(Array.from({ length: 1000 }, () => [])));
  kept.set("b", entity({ a: 1 }));
  kept.set("c", entity("Oslo"));
  expect(["a", "b", "c"].map((key) => kept.get(key, 5) !== undefined)).toEqual([
    false,
    false,
    true,
  ]);
});

test.runIf(hasRedis)(
  "Redis may take as long as the manifest allows, and others wait on",
  async () => {
    const server = await startRealRedis();
    try {
      await writeToRedis(openRedis(server.url), "customers", customers());
      const env = { FEATURE_SOURCES: `customers=${server.url}` };
      const patient = await churnFolder({ cacheSeconds: 0, timeoutMs: 8000 });
      const { predict } = openChurn(patient, {}, env);
      await predict(input(42));
      server.pause();
      const slow = predict(input(42));
      setTimeout(server.goOn, 450);
      expect(await slow).toMatchObject({ status: 200 });

      const redis = openRedis(server.url);
      await redis((client) => client.ping(), AbortSignal.timeout(8000));
      server.pause();
      const hurried = new AbortController();
      const given = redis((client) => client.ping(), hurried.signal).catch(() => "gave up");
      const waiting = redis((client) => client.ping(), AbortSignal.timeout(8000));
      await new Promise((resolve) => setTimeout(resolve, 20));
      hurried.abort();
      server.goOn();
      expect(await waiting).toBe("PONG");
      await given;
      const client = createClient({ url: server.url });
      await client.connect();
      // Nobody waits at the connection that was given up: it is closed.
      await expect.poll(() => client.clientList()).toHaveLength(3);
      client.destroy();
    } finally {
      await server.stop();
    }
  },
);
