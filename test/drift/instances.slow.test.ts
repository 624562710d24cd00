import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DriftReport } from "../../functions/observe/drift/report.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { hasRedis, startRealRedis } from "../harness/real-redis.ts";
import { targets, type Target } from "../harness/targets.ts";
import { modelsWithBaseline } from "./models-with-baseline.ts";

const LIMIT_MS = 120_000;

let models: string;
beforeAll(async () => {
  models = await modelsWithBaseline();
}, LIMIT_MS);
afterAll(() => rm(models, { recursive: true }));

/** Sends batches to one instance after another, and gives how many values the last one knows of. */
async function countOver(target: Target, instances: number): Promise<number[]> {
  for (let instance = 0; instance < instances; instance++) {
    if (instance > 0) await target.restart();
    for (let request = 0; request < 5; request++) {
      const inputs = Array.from({ length: 20 }, () => [5.1, 3.5, 1.4, 0.2]);
      const answer = await target.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs }),
      });
      expect(answer.status).toBe(200);
    }
    // An environment of Lambda sends with a request, at most once a second. This one sends the rest.
    await sleep(1200);
    expect((await driftOf(target)).quantities.length).toBe(6);
  }
  return (await driftOf(target)).quantities.map(({ count }) => count);
}

async function driftOf(target: Target): Promise<DriftReport> {
  // The hour may end during the test.
  const answer = await target.fetch("/v1/models/iris/drift?hours=2");
  expect(answer.status).toBe(200);
  return (await answer.json()) as DriftReport;
}

const EACH = (count: number) => Array.from({ length: 6 }, () => count);

test(
  "Durable Objects count exactly",
  async () => {
    const target = await targets.worker({ models });
    try {
      expect(await countOver(target, 1)).toEqual(EACH(100));
    } finally {
      await target.stop();
    }
  },
  LIMIT_MS,
);

test(
  "environments of Lambda that share a table count exactly",
  async () => {
    const table = await startDynamoDb("rates");
    const target = await targets.lambda({ models, env: table.env });
    try {
      expect(await countOver(target, 3)).toEqual(EACH(300));
    } finally {
      await target.stop();
      await table.stop();
    }
  },
  LIMIT_MS,
);

test.skipIf(!hasRedis)(
  "Node servers that share Redis count exactly",
  async () => {
    const redis = await startRealRedis();
    const target = await targets.node({ models, env: { REDIS_URL: redis.url } });
    try {
      expect(await countOver(target, 3)).toEqual(EACH(300));
    } finally {
      await target.stop();
      await redis.stop();
    }
  },
  LIMIT_MS,
);
