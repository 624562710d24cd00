import { expect, onTestFinished, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets } from "../harness/targets.ts";
import { closedLoop, keepMachineBusy } from "./closed-loops.ts";

const IRIS = [5.1, 3.5, 1.4, 0.2];
const BATCH = Array.from({ length: 1000 }, () => IRIS);

test.each(inThisFile(["node", "worker", "lambda"] as const))(
  "on %s, clients that wait for their answers get them, also while the machine has other work",
  async (name) => {
    const { fetch, stop } = await targets[name]({ env: { REQUEST_TIMEOUT_MS: "120000" } });
    onTestFinished(stop);
    const loop = { fetch, model: "iris", milliseconds: 1000 };
    expect((await closedLoop({ ...loop, inputs: IRIS, clients: 1, milliseconds: 0 }))[200]).toBe(1);
    keepMachineBusy();
    for (const [inputs, clients] of [
      [BATCH, 8],
      [IRIS, 32],
      [IRIS, 256],
    ] as const) {
      const { 200: answered, ...others } = await closedLoop({ ...loop, inputs, clients });
      expect(answered).toBeGreaterThanOrEqual(clients);
      expect(others).toEqual({});
    }
  },
);
