import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createDynamodbLimiter } from "../../functions/platform/limiter/dynamodb.ts";
import { startDynamoDb, type DynamoDb, stubDynamoDb } from "../harness/dynamodb.ts";
import { targets, type Target } from "../harness/targets.ts";
import { flood, predict, WINDOW_SECONDS } from "./requests.ts";

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

async function start(count: number, env: Record<string, string>): Promise<Target[]> {
  const options = { env: { ...dynamodb.env, ...env } };
  running = await Promise.all(Array.from({ length: count }, () => targets.lambda(options)));
  return running;
}

// The first, because it looks at the whole table.
test("two environments that share a table let through 100 of 1,000 requests between them", async () => {
  const both = await start(2, { RATE_LIMIT: `100/${WINDOW_SECONDS}s` });
  expect(await flood(both, 1000)).toEqual({ 200: 100, 429: 900 });
  expect(await dynamodb.counts()).toEqual([100]);
});

test("of 1,000 takes at once from ten clients of a table 100 pass", async () => {
  stubDynamoDb(dynamodb);
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

test("a batch costs its rows, and a refusal says when to come again", async () => {
  const [one] = (await start(1, { RATE_LIMIT: `10/${WINDOW_SECONDS + 1}s` })) as [Target];
  expect((await predict(one, 6)).headers.get("ratelimit")).toMatch(/^"caller";r=4;t=\d+$/);
  expect((await predict(one, 6)).status).toBe(429);
  expect((await predict(one, 3)).headers.get("ratelimit")).toMatch(/^"caller";r=0;t=\d+$/);
  const refused = await predict(one);
  expect(refused.status).toBe(429);
  const window = (WINDOW_SECONDS + 1) * 1000;
  const left = (window - (Date.now() % window)) / 1000;
  expect(Math.abs(Number(refused.headers.get("retry-after")) - left)).toBeLessThan(5);
});

test("a short window ends, and the next one begins", async () => {
  const [one] = (await start(1, { RATE_LIMIT: "2/2s" })) as [Target];
  const status = async () => (await predict(one)).status;
  expect(await status()).toBe(200);
  // A slow machine gets only a few of them into one window.
  await expect.poll(status, { interval: 1 }).toBe(429);
  await expect.poll(status, { interval: 500 }).toBe(200);
});

test("without its table an environment limits on its own account and says so; with it again, by the table", async () => {
  const [one] = (await start(1, { RATE_LIMIT: `3/${WINDOW_SECONDS + 2}s` })) as [Target];
  expect((await predict(one, 3)).status).toBe(200);
  expect((await predict(one)).status).toBe(429);
  await dynamodb.takeDown();
  expect((await predict(one)).status).toBe(200);
  // The pipe with the log may be behind the answer.
  await expect.poll(() => one.logs()).toMatch(/rate limiter out of reach/);
  await dynamodb.bringBack();
  const predictAndCount = async () => {
    await predict(one);
    return dynamodb.counts();
  };
  await expect.poll(predictAndCount).toEqual([3]);
});

test("a rate that only each environment could count is refused at the start", async () => {
  const target = await targets.lambda({ env: { RATE_LIMIT: "100/60s" } });
  running = [target];
  expect((await target.fetch("/health")).status).toBe(502);
  expect(target.logs()).toMatch(/need RATE_LIMIT_TABLE or REDIS_URL/);
});
