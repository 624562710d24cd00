import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startS3 } from "../../cli/local/s3-server.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { writeToRedis } from "../../functions/platform/features/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { createS3Store } from "../../functions/platform/store/s3.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { KEYS, stubDynamoDb, useDynamoDb } from "../harness/dynamodb.ts";
import { writeToDynamodb } from "../../cli/features/dynamodb.ts";
import { hasRedis, startRealRedis } from "../harness/real-redis.ts";
import { churnFolder, customers, openChurn } from "./service.ts";

const plain = await churnFolder({ maxAgeSeconds: 3600, cacheSeconds: 0 });
const hurried = await churnFolder({ maxAgeSeconds: 3600, cacheSeconds: 0, timeoutMs: 50 });

/** A real source as `FEATURE_SOURCES` names it. */
interface Opened {
  url: string;
  env?: Record<string, string>;
  write: (rows: readonly StoredFeatures[]) => Promise<void>;
  /** Makes it answer no more, but for as long as anybody waits. Absent where it cannot be slow. */
  pause?: () => void;
  goOn?: () => void;
  end: () => Promise<void>;
}

const SOURCES: Record<string, { isThere: boolean; open: () => Promise<Opened> }> = {
  "a folder": { isThere: true, open: openFolder },
  S3: { isThere: true, open: openS3 },
  DynamoDB: { isThere: true, open: openDynamoDb },
  Redis: { isThere: hasRedis, open: openRealRedis },
};

async function openFolder(): Promise<Opened> {
  const url = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  return {
    url,
    write: (rows) => writeObjects(createFolderStore(url), rows),
    end: () => rm(url, { recursive: true }),
  };
}

async function openS3(): Promise<Opened> {
  const s3 = await startS3({ buckets: ["tables"] });
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const env = { S3_ENDPOINT: s3.endpoint, S3_FORCE_PATH_STYLE: "true" };
  const place = { bucket: "tables", prefix: "customers/" };
  const store = createS3Store({ ...place, endpoint: s3.endpoint, forcePathStyle: true });
  return {
    url: "s3://tables/customers",
    env,
    write: (rows) => writeObjects(store, rows),
    pause: () => void (s3.behaviour = "stall"),
    goOn: () => void (s3.behaviour = "ok"),
    end: s3.close,
  };
}

async function openDynamoDb(): Promise<Opened> {
  const { pause, goOn, stop } = await useDynamoDb("features");
  return {
    pause,
    goOn,
    url: "dynamodb://features",
    write: (rows) => writeToDynamodb("features", "customers", rows),
    async end() {
      await stop();
      stubDynamoDb({ env: { AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:9" } });
      onTestFinished(() => void vi.unstubAllEnvs());
    },
  };
}

async function openRealRedis(): Promise<Opened> {
  const server = await startRealRedis();
  return {
    url: server.url,
    write: (rows) => writeToRedis(openRedis(server.url), "customers", rows),
    pause: () => server.pause(),
    goOn: () => server.goOn(),
    end: () => server.stop(),
  };
}

test.runIf(hasRedis)("a Redis that is slow for a moment is loaded as a whole", async () => {
  const server = await startRealRedis();
  onTestFinished(() => server.stop());
  const redis = openRedis(server.url);
  await redis((client) => client.ping());
  const rows = Array.from({ length: 600 }, (_, id) => ({ keys: { id }, values: {}, at: 0 }));
  server.pause();
  setTimeout(() => server.goOn(), 400);
  await writeToRedis(redis, "customers", rows);
  expect(await redis((client) => client.dbSize())).toBe(600);
});

/** Nobody knows them, which is told after they were read. */
const THOUSAND = Array.from({ length: 1000 }, (_, index) => ({
  customer_id: 1000 + index,
  income: 1,
}));

test.runIf(hasRedis)("1,000 entities of a call are one MGET", async () => {
  const server = await startRealRedis();
  onTestFinished(() => server.stop());
  const { predict } = openChurn(plain, {}, { FEATURE_SOURCES: `customers=${server.url}` });
  expect((await predict(THOUSAND)).status).toBe(422);
  const stats = await openRedis(server.url)((client) => client.info("commandstats"));
  expect(stats).toContain("cmdstat_mget:calls=1,");
});

test("1,000 entities of a call are ten BatchGetItem, which take 100 each", async () => {
  const { asked, stop } = await useDynamoDb("features");
  onTestFinished(stop);
  const before = asked().length;
  const { predict } = openChurn(plain, {}, { FEATURE_SOURCES: "customers=dynamodb://features" });
  expect((await predict(THOUSAND)).status).toBe(422);
  expect(asked().slice(before)).toEqual(Array(10).fill("BatchGetItem"));
});

describe.each(Object.keys(SOURCES))("%s", (name) => {
  const { isThere, open } = SOURCES[name] as (typeof SOURCES)[string];

  test.runIf(isThere)(
    "answers as for features sent whole; stale, missing, of the wrong type, slow and down as the manifest says",
    async () => {
      const opened = await open();
      await opened.write([
        ...customers(),
        ...customers(Date.now() - 7200_000)
          .slice(0, 1)
          .map((row) => ({ ...row, keys: { customer_id: 1 } })),
        {
          keys: { customer_id: 2 },
          values: { age: "30", member: true, city: "Oslo" },
          at: Date.now(),
        },
      ]);
      const env = { ...opened.env, FEATURE_SOURCES: `customers=${opened.url}` };
      const { predict, whole } = openChurn(plain, {}, env);
      const ask = (customer_id: number) => predict({ customer_id, income: 1 });
      expect(await ask(42)).toMatchObject({
        outputs: await whole({ age: 30, member: true, city: "Oslo", income: 1 }),
        features: { age: { status: "found", ageSeconds: expect.closeTo(60, -2) as number } },
      });
      expect((await ask(1)).detail).toContain("only from more than 3600 s ago");
      expect((await ask(3)).detail).toContain("is not known to customers");
      expect(await ask(2)).toMatchObject({ status: 502, code: "features_invalid" });
      if (opened.pause) {
        opened.pause();
        const slow = await openChurn(hurried, {}, env).predict({ customer_id: 42, income: 1 });
        expect(slow).toMatchObject({ status: 504, code: "features_late" });
        opened.goOn?.();
      }
      await opened.end();
      expect(await openChurn(plain, {}, env).predict({ customer_id: 42, income: 1 })).toMatchObject(
        {
          status: 503,
          code: "features_unavailable",
        },
      );
    },
  );
});
