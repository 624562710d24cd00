import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LARGE_ROW, largeWeightsStore, serveLargeWeights } from "../../bench/wasm.ts";

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
