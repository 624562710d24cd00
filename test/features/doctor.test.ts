import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
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

test("a source is asked once for each set of keys and features, and told of once for each reason", async () => {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += String(piece)));
    request.on("end", () => {
      asked.push(body);
      response.writeHead(body.includes("gone") ? 404 : 503).end();
    });
  });
  const asked: string[] = [];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const keys = [{ name: "id", type: "integer" as const }];
  const versionOf = (label: string, ...names: string[]) => ({
    label,
    lookup: { source: "customers", keys, features: names.map((name) => ({ name })) },
  });
  const found = await checkSources(
    [
      versionOf("churn@1", "a:age", "a:city"),
      versionOf("churn@2", "a:city", "a:age"),
      versionOf("churn@3", "a:age"),
      versionOf("churn@4", "a:age", "a:gone"),
    ],
    { featureSources: [["customers", `feast+http://127.0.0.1:${port}`]], s3: {} as never },
    { where: "the environment", platform: "node" },
  );
  expect(asked).toHaveLength(3);
  expect(found.map(({ what }) => /churn@\d/.exec(what)?.[0])).toEqual(["churn@1", "churn@4"]);
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
