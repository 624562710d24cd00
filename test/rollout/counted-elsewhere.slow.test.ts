import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createDynamodbCounters } from "../../functions/platform/counters/dynamodb.ts";
import { createGatheredCounters, type Place } from "../../functions/platform/counters/gathered.ts";
import { createRedisCounters } from "../../functions/platform/counters/redis.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { createService } from "../../functions/service.ts";
import { nearcast, succeed } from "../cli/nearcast.ts";
import { useDynamoDb } from "../harness/dynamodb.ts";
import { hasRedis, startRealRedis } from "../harness/real-redis.ts";
import { createLoad, onTrial } from "./watched.ts";

/** Counts a bad version with a service, and lets the command look at the same place from outside. */
async function watchFrom(place: Place, flags: string[], env: Record<string, string>) {
  const folder = await onTrial({ version: "bad", percent: 50 });
  const counters = createGatheredCounters(place, { log: () => undefined, schedule: () => true });
  const variables = { STORE: folder, ACCESS_LOG: "false", RELEASE_TTL_SECONDS: "0" };
  const app = createApp(
    createService({ ...createNodePlatform(variables), counters, log: () => undefined }),
  );
  await createLoad((path, init) => app.request(path, init))(200);
  await counters.flush();
  const at = ["--store", folder];
  const watch = ["rollout", "watch", "table", ...flags, ...at];
  const shown = await succeed(["status", "table", ...flags, ...at], env);
  expect(shown).toMatch(/requests {2}\d+, of which \d+ failed; stable's \d+, of which 0 failed/);
  const watched = await nearcast(watch, { env });
  expect(watched).toMatchObject({ code: 1 });
  expect(watched.stderr).toMatch(/table@bad was taken back: \d+ of \d+ requests failed/);
  expect(await succeed(["history", "table", ...at])).toContain("bad taken back");
  expect(await succeed([...watch, "--once"], env)).toContain("no version on trial");
}

test.skipIf(!hasRedis)("rollout watch reads what was counted from Redis", async () => {
  const redis = await startRealRedis();
  onTestFinished(redis.stop);
  await watchFrom(createRedisCounters(openRedis(redis.url)), ["--redis", redis.url], {});
});

test("rollout watch reads what was counted from a table of DynamoDB", async () => {
  const table = await useDynamoDb("counts");
  onTestFinished(table.stop);
  const keys = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
  };
  await watchFrom(createDynamodbCounters("counts"), ["--table", "counts"], {
    ...table.env,
    ...keys,
  });
});

test("more than one place is refused, and so is none", async () => {
  const watch = ["rollout", "watch", "table", "--store", "."];
  expect((await nearcast(watch)).stderr).toContain("--url, --redis or --table");
  const both = [...watch, "--redis", "redis://127.0.0.1:1", "--table", "counts"];
  expect((await nearcast(both)).stderr).toContain("one of --url, --redis and --table");
});
