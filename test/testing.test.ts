import { rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMemoryLimiter } from "../functions/limits/memory-limiter.ts";
import { createFolderStore } from "../functions/platform/store/folder.ts";
import type { Counters, Limiter, Store } from "../functions/index.ts";
import { createMemoryCounters } from "../functions/observe/memory-counters.ts";
import {
  countersContract,
  limiterContract,
  storeContract,
  type ContractCase,
} from "../functions/testing.ts";

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
  "gives parts from another place": [
    "gives parts of an object, where it gives any",
    ({ slice }) => ({ slice: async (key, start, end) => slice?.(key, start + 1, end + 1) }),
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

const brokenCounters: Record<string, [string, (counters: Counters) => Partial<Counters>]> = {
  "keep what was added last": [
    "has what this instance added, at once",
    (counters) => {
      const last = new Map<string, number>();
      return {
        add: (_group, fields) => fields.forEach((value, field) => last.set(field, value)),
        read: async (group) => (await counters.read(group), new Map(last)),
      };
    },
  ],
  "have one group for all": [
    "keeps the groups of a model apart, and the models",
    (counters) => {
      const one = { model: "one", name: "one", keptSeconds: 60 };
      return {
        add: (_group, fields) => counters.add(one, fields),
        read: () => counters.read(one),
      };
    },
  ],
};

test.each(Object.entries(brokenCounters))("counters that %s are found out", async (_, broken) => {
  const [name, change] = broken;
  const counters = createMemoryCounters(() => undefined);
  const cases = countersContract(() => ({ ...counters, ...change(counters) }));
  expect(await failures(cases.filter((one) => one.name === name))).toEqual([name]);
});
