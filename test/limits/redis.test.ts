import { afterEach, expect, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { startRedis, type RedisServer } from "../harness/redis-server.ts";
import { targets, type Target } from "../harness/targets.ts";
import { NO_OTHER_LIMITS, predict } from "./requests.ts";

let redis: RedisServer | undefined;
let running: Target[] = [];
afterEach(async () => {
  await Promise.all(running.map((target) => target.stop()));
  running = [];
  await redis?.stop();
  redis = undefined;
});

async function start(count: number, env: Record<string, string>): Promise<Target[]> {
  redis = await startRedis();
  const options = { env: { ...NO_OTHER_LIMITS, REDIS_URL: redis.url, ...env } };
  running = await Promise.all(Array.from({ length: count }, () => targets.node(options)));
  return running;
}

test("a batch that is refused leaves what was left, and both processes see the same", async () => {
  const [one, other] = (await start(2, { RATE_LIMIT: "10/60s" })) as [Target, Target];
  expect((await predict(one, 6)).headers.get("ratelimit")).toMatch(/^"caller";r=4;t=\d+$/);
  const refused = await predict(other, 7);
  expect([refused.status, refused.headers.get("ratelimit")?.slice(0, 12)]).toEqual([
    429,
    '"caller";r=3',
  ]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
  expect((await predict(one, 3)).status).toBe(200);
  expect((await predict(other)).status).toBe(429);
});

test("without its Redis a process limits on its own account and says so; with it again, as before", async () => {
  const [server] = (await start(1, { RATE_LIMIT: "100/600s" })) as [Target];
  const left = async () =>
    Number(/r=(\d+)/.exec((await predict(server)).headers.get("ratelimit") ?? "")?.[1]);
  const failures = () => server.logs().split("rate limiter out of reach").length - 1;
  expect((await predict(server, 70)).status).toBe(200);
  for (const behaviour of ["down", "stall"] as const) {
    const before = failures();
    redis?.behave(behaviour);
    expect(await left()).toBeGreaterThan(50);
    expect(failures()).toBe(before + 1);
    redis?.behave("ok");
    // Asked again after a second, over a new connection: what was taken before still counts.
    await expect.poll(left, { interval: 300 }).toBeLessThan(30);
  }
});

test.each(["ok", "stall", "down"] as const)(
  "a server whose Redis is %s ends on SIGTERM",
  async (behaviour) => {
    redis = await startRedis();
    const env = { STORE: "models", RATE_LIMIT: "5/60s", REDIS_URL: redis.url };
    const server = await startNodeServer({ env });
    await server.fetch("/v1/models");
    redis.behave(behaviour);
    await server.fetch("/v1/models");
    expect(await server.stop()).toBe(0);
  },
);
