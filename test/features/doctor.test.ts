import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkSources } from "../../cli/doctor/sources.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { nearcast } from "../cli/nearcast.ts";
import { startRedis } from "../harness/redis-server.ts";
import { churnFolder, customers } from "./service.ts";

const models = await churnFolder();
const doctor = (sources?: string) =>
  nearcast(["doctor", "--platform", "node", "--models", models], {
    env: { AUTH: "none", ...(sources !== undefined && { FEATURE_SOURCES: sources }) },
  });

test("a source that answers is no finding", async () => {
  const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  await writeObjects(createFolderStore(table), customers());
  const { code, stdout } = await doctor(`customers=${table}`);
  expect(stdout).not.toContain("source");
  expect(code).toBe(0);
});

test("a source that does not answer is wrong, and says why", async () => {
  const { code, stdout } = await doctor("customers=/no/such/folder");
  expect(stdout).toContain(
    "WRONG  the environment: The source of features customers, which churn@1 needs, does not answer: FEATURE_SOURCES names a folder that does not exist",
  );
  expect(code).toBe(1);
  const redis = await startRedis();
  await redis.stop();
  const down = await doctor(`customers=${redis.url}`);
  expect(down.stdout).toContain("The source of features customers, which churn@1 needs, does not");
  expect(down.code).toBe(1);
});

test("a source that FEATURE_SOURCES does not name is unwise: the code may give it", async () => {
  const { code, stdout } = await doctor("other=/no/such/folder");
  expect(stdout).toContain("UNWISE  the environment: churn@1 looks up features in customers");
  expect(code).toBe(0);
});

test("sources that only the deployment reaches are notes", async () => {
  const lookup = { source: "customers", keys: [{ name: "id", type: "integer" as const }], features: [{ name: "age" }] }; // oxfmt-ignore
  const where = { where: "serverless.yml", platform: "lambda" as const };
  const find = (featureSources: [string, string][]) =>
    checkSources([{ label: "churn@1", lookup }], { featureSources, s3: {} as never }, where);
  expect(await find([["customers", "redis://cache"]])).toMatchObject([{ level: "note" }]);
  expect(await find([])).toMatchObject([{ level: "note" }]);
  expect(await find([["other", "redis://cache"]])).toMatchObject([{ level: "unwise" }]);
});
