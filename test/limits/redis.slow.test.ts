import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { targets, type Target } from "../harness/targets.ts";
import { flood, NO_OTHER_LIMITS } from "./requests.ts";

let running: Target[] = [];
afterEach(async () => {
  await Promise.all(running.map((target) => target.stop()));
  running = [];
});

const outOfReach = /rate limiter out of reach/;

test.each([
  [
    "two processes that share a Redis let through 100 of 1,000 requests at once between them",
    [targets.node, targets.node],
    1000,
  ],
  ["a Lambda environment counts in the same Redis", [targets.node, targets.lambda], 200],
] as const)("%s", async (_, starts, count) => {
  // It runs in its own thread, because this one is busy as a thousand clients.
  const thread = new Worker(new URL("../harness/redis-thread.ts", import.meta.url));
  try {
    const [url] = (await once(thread, "message")) as [string];
    const env = { ...NO_OTHER_LIMITS, RATE_LIMIT: "100/60s", REDIS_URL: url };
    running = await Promise.all(starts.map((start) => start({ env })));
    expect(await flood(running, count)).toEqual({ 200: 100, 429: count - 100 });
    for (const target of running) expect(target.logs()).not.toMatch(outOfReach);
  } finally {
    await thread.terminate();
  }
});
