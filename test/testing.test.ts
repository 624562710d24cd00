import { rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMemoryLimiter } from "../functions/limits/memory-limiter.ts";
import { createFolderStore } from "../functions/platform/store/folder.ts";
import type { Limiter, Store } from "../functions/index.ts";
import { limiterContract, storeContract, type ContractCase } from "../functions/testing.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-testing-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The names of the cases that fail. */
async function failures(cases: ContractCase[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of cases) await run().catch(() => failed.push(name));
  return failed;
}

const brokenStores: Record<string, [string, (store: Store) => Partial<Store>]> = {
  "overwrites what is there": [
    "creates once with if-none-match, and never overwrites",
    ({ put }) => ({ put: (key, bytes) => put(key, bytes) }),
  ],
  "never says not-modified": [
    "answers not-modified to the current ETag only",
    ({ get }) => ({ get: (key) => get(key) }),
  ],
  "stops at a page": [
    "lists more keys than one page has",
    ({ list }) => ({ list: async (prefix) => (await list(prefix)).slice(0, 1000) }),
  ],
};

test.each(Object.entries(brokenStores))("a store that %s is found out", async (_, broken) => {
  const [name, change] = broken;
  const store = createFolderStore(folder);
  expect(await failures(storeContract(() => ({ ...store, ...change(store) })))).toContain(name);
});

const brokenLimiters: Record<string, [string, (limiter: Limiter) => Limiter]> = {
  "charges for what it refuses": [
    "takes nothing for a cost that is refused",
    (limiter) => ({
      async take(key, cost, rate) {
        const taken = await limiter.take(key, cost, rate);
        if (!taken.allowed) await limiter.take(key, 1, rate);
        return taken;
      },
    }),
  ],
  "has one count for all": [
    "counts each key for itself",
    (limiter) => ({ take: (_key, cost, rate) => limiter.take("all", cost, rate) }),
  ],
  "answers at once from what it read before": [
    "allows no more when all are taken at once",
    () => {
      const counts = new Map<string, number>();
      return {
        async take(key, cost, { limit, windowSeconds }) {
          const used = (counts.get(key) ?? 0) + cost;
          await Promise.resolve();
          const allowed = used <= limit;
          if (allowed) counts.set(key, used);
          return { allowed, resetSeconds: windowSeconds };
        },
      };
    },
  ],
};

test.each(Object.entries(brokenLimiters))("a limiter that %s is found out", async (_, broken) => {
  const [name, change] = broken;
  const limiter = change(createMemoryLimiter());
  const cases = limiterContract(() => limiter).filter((one) => one.name === name);
  expect(await failures(cases)).toEqual([name]);
});
