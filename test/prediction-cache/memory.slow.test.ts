import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createMemoryCache } from "../../functions/platform/cache/memory.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A key and an entry of the size that a small answer has. */
function entryOf(index: number): [key: string, entry: Uint8Array] {
  return [createHash("sha256").update(String(index)).digest("hex"), new Uint8Array(67).fill(index)];
}

test("a hundred thousand small answers take the memory that they may, with all it takes to keep them", () => {
  const budget = 16 * 1024 * 1024;
  const cache = createMemoryCache(budget);
  const before = memoryBytes();
  for (let index = 0; index < 100_000; index++) void cache.put(...entryOf(index), 3600);
  const used = memoryBytes() - before;
  expect(used / budget).toBeGreaterThan(0.4);
  expect(used / budget).toBeLessThan(1.1);
  expect(cache.get(entryOf(0)[0])).toBeUndefined();
  expect(cache.get(entryOf(99_999)[0])).toBeDefined();
});

test("an answer that is larger than the budget is not kept, and the smallest budget keeps none", () => {
  for (const budget of [0, 1, 500]) {
    const cache = createMemoryCache(budget);
    const [key, bytes] = entryOf(1);
    void cache.put(key, bytes, 3600);
    expect(cache.get(key)).toBeUndefined();
  }
});
