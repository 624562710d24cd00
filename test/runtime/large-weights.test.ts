import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LARGE_ROW, largeWeightsStore, serveLargeWeights } from "../../bench/wasm.ts";
import { targets } from "../harness/targets.ts";

const MIB = 1024 * 1024;

let store: string;
beforeAll(async () => {
  store = await largeWeightsStore();
});
afterAll(() => rm(store, { recursive: true }));

test("32 MiB of weights take at most 48 MiB of WASM memory, and no JavaScript memory once loaded", async () => {
  const { y, wasm, buffers } = await serveLargeWeights(store);
  expect(y).toEqual(LARGE_ROW.map((value) => value * 2));
  expect(wasm).toBeLessThanOrEqual(48 * MIB);
  expect(buffers).toBeLessThan(8 * MIB);
});

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
