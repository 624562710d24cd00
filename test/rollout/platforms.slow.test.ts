import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { startLambda, type Lambda } from "../../cli/local/lambda.ts";
import type { Release } from "../../functions/model/release.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { startOverS3, targets, type Target } from "../harness/targets.ts";
import { createLoad, onTrial, statusOf } from "./watched.ts";

vi.setConfig({ testTimeout: 180_000 });

const STEPS = { steps: { percents: [20, 100], everySeconds: 1 }, minRequests: 20 };
const MOST_ROUNDS = 60;

/** A deployment, and what makes its watcher look. */
interface Watched {
  target: Target;
  look: () => Promise<unknown>;
}

const platforms: Record<string, (models: string) => Promise<Watched>> = {
  async Workers(models) {
    const env = { ROLLOUT_WATCH_SECONDS: "1", RELEASE_TTL_SECONDS: "0" };
    const target = await targets.worker({ models, env });
    onTestFinished(target.stop);
    // The alarm of the model's Durable Object looks by itself.
    return { target, look: () => Promise.resolve() };
  },
  async Lambda(models) {
    const table = await startDynamoDb("rates");
    let running: Lambda | undefined;
    const options = { models, env: { ...table.env, RELEASE_TTL_SECONDS: "0" } };
    const target = await startOverS3(options, async (env) => {
      const lambda = await startLambda({
        directory: lambdaDirectory,
        handler: "index.handler",
        env,
        freeze: true,
      });
      running = lambda;
      return { fetch: lambda.fetch, logs: () => lambda.logs, stop: lambda.stop };
    });
    onTestFinished(async () => {
      await target.stop();
      await table.stop();
    });
    const look = async () => {
      const event = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
      expect(await running?.invoke(event)).not.toHaveProperty("error");
    };
    return { target, look };
  },
};

for (const [name, start] of Object.entries(platforms)) {
  test(`${name}: a version that fails 20 % of its requests is gone by itself`, async () => {
    const { target, look } = await start(await onTrial({ version: "bad", percent: 20 }));
    const load = createLoad(target.fetch);
    const before = await statusOf(target);
    let after = before;
    for (let round = 0; round < MOST_ROUNDS && after.revision === before.revision; round++) {
      await load(50);
      await look();
      after = await statusOf(target);
    }
    expect(after).toMatchObject({
      revision: before.revision + 1,
      stable: "1",
      candidates: [{ version: "bad", percent: 0 }],
    });
    await expect
      .poll(() => target.logs())
      .toMatch(/\d+ of \d+ requests failed, and of stable's 0 of \d+/);
    expect(await load(20)).toEqual({ "stable 200": 20 });
  });

  test(`${name}: a good version reaches 100 %`, async () => {
    const { target, look } = await start(
      await onTrial({ version: "good", percent: 20, policy: STEPS }),
    );
    const load = createLoad(target.fetch);
    let percent = 0;
    for (let round = 0; round < MOST_ROUNDS && percent !== 100; round++) {
      await load(50);
      await look();
      percent = (await statusOf(target)).candidates[0]?.percent ?? 0;
    }
    expect(percent).toBe(100);
    expect(await load(20)).toEqual({ "candidate 200": 20 });
  });
}

test("Workers: with all requests a candidate is looked at seldom, until its release changes", async () => {
  const models = await onTrial({ version: "good", percent: 100 });
  const env = { ROLLOUT_WATCH_SECONDS: "1", RELEASE_TTL_SECONDS: "15" };
  const target = await targets.worker({ models, env });
  onTestFinished(target.stop);
  const load = createLoad(target.fetch);
  expect(await load(20)).toEqual({ "candidate 200": 20 });
  const looks = () => target.store.gets().filter((key) => key === "table/release.json").length;
  // The Worker's own read, and the look that finds out.
  await expect.poll(looks, { timeout: 10_000 }).toBe(2);
  for (let second = 0; second < 5; second++) {
    await sleep(1000);
    await load(5);
  }
  expect(looks()).toBe(2);
  const bad = await onTrial({ version: "bad", percent: 50 });
  const release = JSON.parse(await readFile(join(bad, "table/release.json"), "utf8")) as object;
  const next = { ...release, revision: 2 } as unknown as Release;
  for (const one of next.candidates) for (const segment of one.segments) segment.id = 2;
  await target.store.put("table/release.json", JSON.stringify(next));
  await sleep(15_000);
  await load(200);
  await expect.poll(() => target.logs(), { timeout: 10_000 }).toContain("of stable's 0 of");
});
