import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createDynamodbLimiter } from "../../functions/platform/limiter/dynamodb.ts";
import { startDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { targets, type Target } from "../harness/targets.ts";
import { flood, WINDOW_SECONDS } from "./requests.ts";

let dynamodb: DynamoDb;
beforeAll(async () => {
  dynamodb = await startDynamoDb("rates");
});
afterAll(() => dynamodb.stop());

let running: Target[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(running.map((target) => target.stop()));
  running = [];
});

test("two environments that share a table let through 100 of 1,000 requests between them", async () => {
  const env = { ...dynamodb.env, RATE_LIMIT: `100/${WINDOW_SECONDS}s` };
  running = await Promise.all([targets.lambda({ env }), targets.lambda({ env })]);
  expect(await flood(running, 1000)).toEqual({ 200: 100, 429: 900 });
  expect(await dynamodb.counts()).toEqual([100]);
});

test("of 1,000 takes at once from ten clients of a table 100 pass", async () => {
  const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  for (const [name, value] of Object.entries({ ...dynamodb.env, ...keys, AWS_REGION: "us-east-1" }))
    vi.stubEnv(name, value);
  const limiters = Array.from({ length: 10 }, () =>
    createDynamodbLimiter("rates", { start: "now" }),
  );
  const rate = { limit: 100, windowSeconds: WINDOW_SECONDS + 3 };
  const takes = Array.from({ length: 100 }, () =>
    limiters.map(async (limiter) => limiter.take("caller:web", 1, rate)),
  );
  const taken = await Promise.all(takes.flat());
  expect(taken.filter(({ allowed }) => allowed)).toHaveLength(100);
});
