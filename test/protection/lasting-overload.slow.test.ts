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
    const rounds: { best: number; result: OpenLoopResult }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const best = await carried(url, body);
      const result = await offer({ url, body, rate: best * 5, seconds: 2 });
      expect(result.failed).toBe(0);
      expect(result.served + result.refused).toBe(result.offered);
      rounds.push({ best, result });
    }
    const typical = (figure: (round: (typeof rounds)[number]) => number) =>
      median(rounds.map(figure));
    // bench/overload.ts measures what is left on a quiet machine: four fifths and more.
    expect(typical(({ best, result }) => result.goodput / best)).toBeGreaterThan(0.5);
    // The queue holds a few runs. It is not the quarter of a second that a burst may wait.
    expect(typical(({ best, result }) => (result.servedP50 * best) / 1000)).toBeLessThan(20);
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
