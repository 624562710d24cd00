import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { writeToRedis } from "../../functions/platform/features/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { hasRedis, startRealRedis } from "../harness/real-redis.ts";
import { churnFolder, customers } from "./service.ts";

test("commands answer examples that send keys, and measure what was looked up", async () => {
  const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  await writeObjects(createFolderStore(table), customers());
  vi.stubEnv("FEATURE_SOURCES", `customers=${table}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const models = await churnFolder();
  const open = async (name: string) =>
    openPredictor(await openPackage(models, { name, version: "1" }), "native");
  const [churn, whole] = [await open("churn"), await open("whole")];
  const sent = { customer_id: 42, income: 1 };
  const row = { age: 30, member: true, city: "Oslo", income: 1 };
  expect(await churn.predict(sent)).toEqual(await whole.predict(row));
  const seen = await churn.see([sent]);
  const { runs, answers } = await whole.see([row]);
  expect(seen.inputs).toEqual([{ ...sent, ...row }]);
  expect(seen).toMatchObject({ runs, answers });
});

test.runIf(hasRedis)("what is measured is looked up once", async () => {
  const server = await startRealRedis();
  onTestFinished(() => server.stop());
  const redis = openRedis(server.url);
  await writeToRedis(redis, "customers", customers());
  vi.stubEnv("FEATURE_SOURCES", `customers=${server.url}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const models = await churnFolder({ cacheSeconds: 0 });
  const local = await openPackage(models, { name: "churn", version: "1" });
  const predictor = await openPredictor(local, "native");
  const { answers } = await predictor.see(
    [42, 43].map((customer_id) => ({ customer_id, income: 1 })),
  );
  expect(answers).toHaveLength(2);
  expect(await redis((client) => client.info("commandstats"))).toContain("cmdstat_mget:calls=1,");
});
