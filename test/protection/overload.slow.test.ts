import { join } from "node:path";
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

/** A run with as many iterations as the input says. 10,000 iterations take about 20 ms. */
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
  // The run is so long that all hundred requests arrive before a few are done, also on a busy machine.
  const iterations = 75_000;
  // The mean time of a run is known after a few.
  for (let warm = 0; warm < 5; warm++) await run(iterations);
  const before = await runsSoFar();
  const order: number[] = [];
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const answer = await run(iterations);
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
  // Refused requests do not wait for those that are served.
  expect(order.lastIndexOf(503)).toBeLessThan(order.lastIndexOf(200));
  expect((await run(iterations)).status).toBe(200);
});

test("what the client no longer waits for is not computed", async () => {
  await begin({ MAX_QUEUE_MS: "60000" });
  const before = await runsSoFar();
  const client = new AbortController();
  // The client of all leaves with the first answer.
  const abandoned = Array.from({ length: 20 }, async () => {
    await run(150_000, { signal: client.signal });
    client.abort();
  });
  await Promise.allSettled(abandoned);
  expect((await run(1)).status).toBe(200);
  expect((await runsSoFar()) - before).toBeLessThan(6);
  await expect.poll(() => server.logs).toContain('"code":"client_closed_request"');
});

test.each(["0", "1"])(
  "a run that ends after the deadline is 504 with %s workers",
  async (workers) => {
    await begin({ WORKERS: workers });
    const late = await run(250_000, { headers: { "X-Request-Timeout-Ms": "100" } });
    expect(late.status).toBe(504);
    expect(await late.json()).toMatchObject({ code: "deadline_exceeded" });
    expect((await run(1)).status).toBe(200);
  },
);

test("a body that never ends is 504", async () => {
  await begin();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"inputs":')),
  });
  const answer = await server.fetch("/v1/models/slow/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Request-Timeout-Ms": "300" },
    body,
    duplex: "half",
  } as RequestInit);
  expect(answer.status).toBe(504);
  expect((await run(1)).status).toBe(200);
});
