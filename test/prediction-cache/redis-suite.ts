import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startRedis, type RedisServer } from "../harness/redis-server.ts";
import { targets, type Target } from "../harness/targets.ts";
import { predictionCache } from "./suite.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const env = () => ({ REDIS_URL: redis.url, PREDICTION_CACHE_TTL_SECONDS: "60" });

async function predict(target: Target, input: readonly number[]) {
  const answer = await target.fetch("/v1/models/iris/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: input }),
  });
  expect(answer.status).toBe(200);
  const { outputs } = (await answer.json()) as { outputs: { label: string } };
  return [outputs.label, answer.headers.get("cache-status")];
}

/** The suite, with answers kept in Redis. */
export function predictionCacheInRedis(platform: "node" | "lambda"): void {
  predictionCache((options = {}) =>
    targets[platform]({ ...options, env: { ...options.env, REDIS_URL: redis.url } }),
  );
}

/** What Redis adds to the suite. */
export function whatRedisAdds(platform: "node" | "lambda"): void {
  let running: Target | undefined;
  afterEach(async () => {
    redis.behave("ok");
    await running?.stop();
    running = undefined;
  });

  const start = async () => (running = await targets[platform]({ env: env() }));

  const hit = ["setosa", "nearcast; hit"];
  const miss = ["setosa", "nearcast; fwd=miss"];

  test("what one process computed another has, and the same one after a restart", async () => {
    const input = [4.01, 3.5, 1.4, 0.2];
    const target = await start();
    expect(await predict(target, input)).toEqual(miss);
    expect(await predict(target, input)).toEqual(hit);
    await target.restart();
    expect(await predict(target, input)).toEqual(hit);
    const other = await targets[platform]({ env: env() });
    expect(await predict(other, input)).toEqual(hit);
    await other.stop();
  });

  test("an entry that was damaged, cut off or made up is computed anew", async () => {
    const input = [4.02, 3.5, 1.4, 0.2];
    const target = await start();
    await predict(target, input);
    expect(await predict(target, input)).toEqual(hit);
    for (const value of ["", "x", "\0".repeat(100), "garbage".repeat(1000)]) {
      for (const key of redis.keys()) redis.put(key, value);
      expect(await predict(target, input)).toEqual(miss);
      expect(await predict(target, input)).toEqual(hit);
    }
  });

  test("a Redis that is down or does not answer costs the kept answers, and not the new ones", async () => {
    const input = [4.03, 3.5, 1.4, 0.2];
    const target = await start();
    await predict(target, input);
    for (const behaviour of ["down", "stall"] as const) {
      redis.behave(behaviour);
      expect(await predict(target, input)).toEqual(miss);
      expect(target.logs()).toMatch(/prediction cache out of reach/);
      redis.behave("ok");
      await expect.poll(() => predict(target, input), { interval: 300 }).toEqual(hit);
    }
  });
}
