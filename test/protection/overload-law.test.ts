import { expect, test } from "vitest";
import { quantile } from "../../bench/statistics.ts";
import { closedLoop, openLoop, simulate, type Met } from "./simulated-load.ts";

const RUNS_MS = [0.1, 1, 5, 20, 100, 500];
const TIMEOUT_MS = 30_000;

const served = (met: readonly Met[]) => met.filter(({ code }) => code === "ok");
const refused = (met: readonly Met[]) => met.filter(({ code }) => code === "overloaded");
const p99 = (met: readonly Met[]) =>
  quantile(
    met.map(({ ms }) => ms),
    0.99,
  );

const loops = [1, 8, 32, 256].flatMap((clients) =>
  RUNS_MS.flatMap((runMs) => [false, true].map((busy) => ({ clients, runMs, busy }))),
);

test.each(loops)(
  "$clients clients that wait for runs of $runMs ms are never refused (other work: $busy)",
  async ({ clients, runMs, busy }) => {
    // All at once, one after the other, and slower than they are answered.
    for (const start of [0, 0.5, 2]) {
      const server = simulate({ runMs, busy, timeoutMs: TIMEOUT_MS });
      const roundMs = clients * runMs;
      const startMs = start * roundMs;
      await closedLoop(server, { clients, startMs, endMs: startMs + 3 * roundMs });
      expect(refused(server.met)).toEqual([]);
      // Who is not answered in time was not given up before: a run or two would not have ended in time.
      const late = server.met.filter(({ code }) => code !== "ok");
      for (const { ms } of late) expect(ms).toBeGreaterThan(TIMEOUT_MS * 0.9);
      // So late answers do not take the processor from the others.
      expect(server.useful() / server.now()).toBeGreaterThan(0.9);
    }
  },
);

test.each(RUNS_MS)(
  "of five times the runs of %s ms that can be done those that can are, and soon",
  async (runMs) => {
    const capacity = 1000 / runMs;
    const options = { runMs, timeoutMs: 1e9 };
    const normal = simulate(options);
    await openLoop(normal, { rate: 0.8 * capacity, endMs: 2000 * runMs });
    expect(refused(normal.met)).toEqual([]);
    const server = simulate(options);
    await openLoop(server, { rate: 5 * capacity, endMs: 3000 * runMs });
    expect(server.useful() / server.now()).toBeGreaterThan(0.9);
    // The time it takes until there are more requests than clients that wait can make.
    const after = server.met.filter(({ at }) => at > 200 * runMs);
    expect(p99(served(after))).toBeLessThan(Math.max(3 * p99(served(normal.met)), 20));
    expect(p99(refused(after))).toBe(0);
  },
);

test("an overload that is over leaves nothing behind", async () => {
  const server = simulate({ runMs: 5 });
  await openLoop(server, { rate: 1000, endMs: 5000 });
  const before = server.met.length;
  expect(refused(server.met).length).toBeGreaterThan(1000);
  void server.sleep(1000);
  await server.run();
  await closedLoop(server, { clients: 256, startMs: 0, endMs: server.now() + 5000 });
  expect(server.met.length - before).toBeGreaterThan(1000);
  expect(refused(server.met.slice(before))).toEqual([]);
});

test.each([1, 5, 20, 100])(
  "of a crowd that runs of %s ms are too long for, most are answered when they come again as they were told",
  async (runMs) => {
    const server = simulate({ runMs });
    await closedLoop(server, { clients: 1, startMs: 0, endMs: 5 * runMs });
    const again: Met[] = [];
    const client = async (): Promise<void> => {
      const { code, retryAfterMs } = await server.ask();
      if (code !== "overloaded") return;
      await server.sleep(retryAfterMs);
      again.push(await server.ask());
    };
    for (let index = 0; index < 1000; index++) void client();
    await server.run();
    expect(again.length).toBeGreaterThan(400);
    expect(served(again).length / again.length).toBeGreaterThan(0.75);
  },
);

test("a request whose turn comes too late is ended without a run", async () => {
  const server = simulate({ runMs: 100, timeoutMs: 1000 });
  await closedLoop(server, { clients: 50, startMs: 0, endMs: 5000 });
  expect(server.useful() / server.now()).toBeGreaterThan(0.9);
});
