import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { offer, type OpenLoopResult } from "../../bench/open-loop.ts";
import { median } from "../../bench/statistics.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../fixtures");
/** Some milliseconds a run. */
const ITERATIONS = 2500;
const ROUNDS = 3;

let server: NodeServer;
afterEach(() => server.stop());

test.each(["0", "2"])(
  "five times what can be done costs little of it, and nobody who is let in waits long, with WORKERS=%s",
  async (workers) => {
    server = await startNodeServer({ env: { STORE, WORKERS: workers, ACCESS_LOG: "false" } });
    const url = `${server.url}/v1/models/slow/predict`;
    const body = JSON.stringify({ inputs: { iterations: [ITERATIONS] } });
    await carried(url, body);
    // They take turns, so that other work on the machine slows both.
    const rounds: { best: number; normal: OpenLoopResult; result: OpenLoopResult }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const best = await carried(url, body);
      const normal = await offer({ url, body, rate: best * 0.8, seconds: 2 });
      // First more must have come than clients that wait can ask, and those must have been answered.
      const leadSeconds = Math.min(1 + (2 * 512) / best, 30);
      const result = await offer({ url, body, rate: best * 5, seconds: 2, leadSeconds });
      expect(result.failed).toBe(0);
      expect(result.served + result.refused).toBe(result.offered);
      rounds.push({ best, normal, result });
    }
    const typical = (figure: (round: (typeof rounds)[number]) => number) =>
      median(rounds.map(figure));
    // bench/overload.ts measures what is left on a quiet machine: nine tenths and more. Of one where connections are dear it is half,
    // and of a server that breaks down next to nothing.
    expect(typical(({ best, result }) => result.goodput / best)).toBeGreaterThan(0.3);
    // The queue holds a few runs.
    expect(typical(({ best, result }) => (result.servedP50 * best) / 1000)).toBeLessThan(20);
    // overload-law.test.ts has the exact bound, on a clock of its own.
    expect(typical(({ normal, result }) => result.servedP99 / normal.servedP99)).toBeLessThan(10);
    expect(typical(({ result }) => result.refusedP50 / result.servedP50)).toBeLessThan(0.5);
  },
);

/** How many answers a second three clients get, when each waits for its answer before it asks again. */
async function carried(url: string, body: string): Promise<number> {
  const begin = performance.now();
  const headers = { "Content-Type": "application/json" };
  let done = 0;
  const client = async () => {
    for (; performance.now() < begin + 1000; done++)
      expect((await fetch(url, { method: "POST", headers, body })).status).toBe(200);
  };
  await Promise.all([client(), client(), client()]);
  return (done * 1000) / (performance.now() - begin);
}
