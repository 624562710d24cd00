import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { offer } from "../../bench/open-loop.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../fixtures");
/** Some milliseconds a run. */
const ITERATIONS = 2500;

let server: NodeServer;
afterEach(() => server.stop());

test.each(["0", "2"])(
  "five times what can be done costs little of it, and nobody who is let in waits long, with WORKERS=%s",
  async (workers) => {
    server = await startNodeServer({ env: { STORE, WORKERS: workers, ACCESS_LOG: "false" } });
    const url = `${server.url}/v1/models/slow/predict`;
    const body = JSON.stringify({ inputs: { iterations: [ITERATIONS] } });
    // As fast as the answers come.
    let done = 0;
    const end = performance.now() + 1500;
    const client = async () => {
      for (; performance.now() < end; done++) {
        const headers = { "Content-Type": "application/json" };
        expect((await fetch(url, { method: "POST", headers, body })).status).toBe(200);
      }
    };
    await Promise.all([client(), client(), client()]);
    const best = done / 1.5;
    const result = await offer({ url, body, rate: best * 5, seconds: 4 });
    expect(result.failed).toBe(0);
    expect(result.served + result.refused).toBe(result.offered);
    // bench/overload.ts measures what is left on a quiet machine: four fifths and more.
    expect(result.goodput / best).toBeGreaterThan(0.5);
    // The queue is a few runs long, and not the quarter of a second of a burst.
    const runMs = 1000 / best;
    expect(result.servedP50).toBeLessThan(runMs * 20);
    expect(result.refusedP50).toBeLessThan(result.servedP50 / 2);
  },
);
