// The same on the other platforms, and runs of other lengths.
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { closedLoop, keepMachineBusy } from "./closed-loops.ts";
import "./closed-loop.test.ts";

vi.setConfig({ testTimeout: 600_000 });

const STORE = join(import.meta.dirname, "../fixtures");
/** Some 0.1, 5, 50 and 500 ms a run. */
const ITERATIONS = [10, 2500, 25_000, 250_000];
/** A round of all clients takes no longer than this. */
const LONGEST_ROUND_MS = 30_000;

test.each(
  ["0", "2"].flatMap((workers) => [
    { workers, busy: false },
    { workers, busy: true },
  ]),
)(
  "1 to 256 clients that wait are never refused, whatever a run takes, with $workers workers (other work: $busy)",
  async ({ workers, busy }) => {
    const { fetch, stop } = await startNodeServer({
      env: { STORE, WORKERS: workers, ACCESS_LOG: "false", REQUEST_TIMEOUT_MS: "300000" },
    });
    onTestFinished(async () => void (await stop()));
    if (busy) keepMachineBusy();
    for (const iterations of ITERATIONS) {
      const loop = { fetch, model: "slow", inputs: { iterations: [iterations] } };
      const begin = performance.now();
      await closedLoop({ ...loop, clients: 1, milliseconds: 0 });
      const runMs = performance.now() - begin;
      for (const clients of [1, 8, 32, 256]) {
        if (clients * runMs > LONGEST_ROUND_MS) continue;
        const counts = await closedLoop({ ...loop, clients, milliseconds: 1000 });
        expect({ iterations, clients, ...counts }).toEqual({
          iterations,
          clients,
          200: expect.any(Number),
        });
      }
    }
  },
);
