import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LARGE_ROW, largeWeightsStore } from "../../bench/wasm.ts";
import { targets } from "../harness/targets.ts";

let store: string;
beforeAll(async () => {
  store = await largeWeightsStore();
});
afterAll(() => rm(store, { recursive: true }));

test("a Worker serves it", async () => {
  const target = await targets.worker({ models: store, env: { SESSION_BUDGET_MB: "40" } });
  try {
    for (let turn = 0; turn < 3; turn++) {
      const response = await target.fetch("/v1/models/weights/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: { x: [[...LARGE_ROW]] } }),
      });
      const { outputs } = (await response.json()) as { outputs: { y: number[][] } };
      expect(outputs.y[0]?.slice(0, 3)).toEqual(
        [0, 1, 2].map((index) => (2 * index) / LARGE_ROW.length),
      );
    }
  } finally {
    await target.stop();
  }
});
