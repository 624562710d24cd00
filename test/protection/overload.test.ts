import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../fixtures");

let server: NodeServer;
afterEach(async () => {
  await server.stop();
});

async function begin(env: Record<string, string> = {}): Promise<void> {
  server = await startNodeServer({ env: { STORE, ...env } });
  expect((await run(1)).status).toBe(200);
}

/** A run that takes as long as it is told; 10,000 iterations are some milliseconds. */
function run(
  iterations: number,
  init: { signal?: AbortSignal; headers?: Record<string, string> } = {},
): Promise<Response> {
  return server.fetch("/v1/models/slow/predict", {
    ...init,
    method: "POST",
    headers: { "Content-Type": "application/json", ...init.headers },
    body: JSON.stringify({ inputs: { iterations: [iterations] } }),
  });
}

async function runsSoFar(): Promise<number> {
  const { model_stats: stats } = (await (await server.fetch("/v2/models/slow/stats")).json()) as {
    model_stats: { execution_count: number }[];
  };
  return stats[0]?.execution_count ?? 0;
}

test("more than the processor can do is refused before its turn, and the rest is right", async () => {
  await begin({ MAX_QUEUE_MS: "50" });
  // The mean time of a run is known after a few.
  for (let warm = 0; warm < 5; warm++) await run(10_000);
  const before = await runsSoFar();
  const order: number[] = [];
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const answer = await run(10_000);
      order.push(answer.status);
      return answer;
    }),
  );
  const served = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  expect(served.length + refused.length).toBe(100);
  expect(served.length).toBeGreaterThanOrEqual(8);
  expect(refused.length).toBeGreaterThan(served.length);
  expect(await runsSoFar()).toBe(before + served.length);
  for (const answer of refused) {
    expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(await answer.json()).toMatchObject({ code: "overloaded" });
  }
  // Those who are refused do not wait for those who are served.
  expect(order.lastIndexOf(503)).toBeLessThan(order.lastIndexOf(200));
  expect((await run(10_000)).status).toBe(200);
});

test("no more requests than MAX_CONCURRENCY hold memory at once", async () => {
  await begin({ MAX_CONCURRENCY: "3", WORKERS: "1" });
  const answers = await Promise.all(Array.from({ length: 10 }, () => run(100_000)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(3);
  expect(statuses.filter((status) => status === 503)).toHaveLength(7);
  expect((await server.fetch("/v1/models/slow")).status).toBe(200);
});

test("what the client no longer waits for is not computed", async () => {
  await begin();
  const before = await runsSoFar();
  const client = new AbortController();
  const abandoned = Array.from({ length: 20 }, () => run(100_000, { signal: client.signal }));
  const ends = Promise.allSettled(abandoned);
  await sleep(50);
  client.abort();
  await ends;
  expect((await run(1)).status).toBe(200);
  expect((await runsSoFar()) - before).toBeLessThan(10);
  await expect.poll(() => server.logs).toContain('"code":"client_closed_request"');
});

test.each(["0", "1"])(
  "a run that ends after the deadline is 504 with %s workers",
  async (workers) => {
    await begin({ WORKERS: workers });
    const late = await run(1_000_000, { headers: { "X-Request-Timeout-Ms": "100" } });
    expect(late.status).toBe(504);
    expect(await late.json()).toMatchObject({ code: "deadline_exceeded" });
    expect((await run(1)).status).toBe(200);
  },
);

test("a body that never ends is 504", async () => {
  await begin({ REQUEST_TIMEOUT_MS: "300" });
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"inputs":')),
  });
  const answer = await server.fetch("/v1/models/slow/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    duplex: "half",
  } as RequestInit);
  expect(answer.status).toBe(504);
  expect((await run(1)).status).toBe(200);
});
