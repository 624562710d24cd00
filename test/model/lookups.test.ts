import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createRegistry } from "../../functions/model/registry.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";
import type { Store } from "../../functions/model/store.ts";

/** The bound of the code, and the list that tells which names are worth a read. */
const MOST_AT_ONCE = 16 + 1;

/** A registry over the shipped models, with a slow store that says what it was asked, and how much at once. */
function open(environment: NodeJS.ProcessEnv = {}) {
  const platform = createNodePlatform(environment);
  const { store } = platform;
  const gets: string[] = [];
  const state = { lists: 0, canList: true, atOnce: 0, mostAtOnce: 0 };
  const extra = new Map<string, string>();
  async function slowly<T>(read: () => Promise<T>): Promise<T> {
    state.atOnce += 1;
    state.mostAtOnce = Math.max(state.mostAtOnce, state.atOnce);
    try {
      await sleep(20);
      return await read();
    } finally {
      state.atOnce -= 1;
    }
  }
  const observed: Store = {
    ...store,
    get(key, options) {
      gets.push(key);
      const text = extra.get(key);
      if (text === undefined) return slowly(() => store.get(key, options));
      return slowly(async () => ({ bytes: new TextEncoder().encode(text), etag: "1" }));
    },
    list(prefix, options) {
      state.lists += 1;
      return slowly(() =>
        state.canList ? store.list(prefix, options) : Promise.reject(new Error("no list")),
      );
    },
  };
  const quiet = { ...platform, store: observed, log: () => undefined };
  return { registry: createRegistry(quiet, createTasks()), gets, state, extra };
}

const refused = async (asked: Promise<unknown>[]) =>
  (await Promise.allSettled(asked)).map((one) =>
    one.status === "rejected" ? (one.reason as { code?: string }).code : "answered",
  );

test("a made-up name is read once in a while, and never listed", async () => {
  const { registry, gets, state } = open();
  for (let times = 0; times < 20; times++) {
    await expect(registry.resolve("nobody")).rejects.toMatchObject({ code: "unknown_model" });
    expect(await registry.versions("nobody")).toEqual(new Map());
    const named = registry.resolve("iris", { version: "99" });
    await expect(named).rejects.toMatchObject({ code: "unknown_version" });
  }
  expect(gets).toEqual(["nobody/release.json", "iris/release.json", "iris/99/model.json"]);
  expect(state.lists).toBe(0);
});

test.each([
  ["models", (index: number) => ({ name: `made-up-${index}` }), "unknown_model"],
  ["versions", (index: number) => ({ name: "iris", version: `v${index}` }), "unknown_version"],
])(
  "of 500 made-up %s at once a few are read, and one list answers the others",
  async (_, asked, code) => {
    const { registry, gets, state } = open();
    await registry.release("iris");
    const flood = Array.from({ length: 500 }, async (_, index) => {
      const { name, ...wanted } = { version: undefined, ...asked(index) };
      return registry.resolve(name, wanted);
    });
    expect(new Set(await refused(flood))).toEqual(new Set([code]));
    expect(gets.length).toBeLessThan(60);
    expect(state.lists).toBe(1);
    expect(state.mostAtOnce).toBeLessThanOrEqual(MOST_AT_ONCE);
  },
);

test("a model that nobody has asked for is found among 500 made-up names", async () => {
  const { registry, gets } = open();
  const flood = refused(
    Array.from({ length: 500 }, async (_, index) => registry.resolve(`made-up-${index}`)),
  );
  expect((await registry.resolve("iris")).manifest.version).toBe("1");
  expect(gets.length).toBeLessThan(60);
  await flood;
});

test("where the store gives no list, the names are read a few at a time", async () => {
  const { registry, gets, state } = open();
  state.canList = false;
  const flood = Array.from({ length: 100 }, async (_, index) =>
    registry.resolve(`made-up-${index}`),
  );
  const cold = registry.resolve("iris");
  expect(new Set(await refused(flood))).toEqual(new Set(["unknown_model"]));
  expect((await cold).manifest.version).toBe("1");
  expect(gets.filter((key) => key.startsWith("made-up"))).toHaveLength(100);
  expect(state.lists).toBe(1);
  expect(state.mostAtOnce).toBeLessThanOrEqual(MOST_AT_ONCE);
});

test("a first release shows after a moment", async () => {
  const { registry, extra } = open({ RELEASE_TTL_SECONDS: "0.1" });
  await expect(registry.release("late")).rejects.toMatchObject({ code: "unknown_model" });
  extra.set("late/release.json", '{"stable": "1"}');
  await expect(registry.release("late")).rejects.toMatchObject({ code: "unknown_model" });
  await sleep(150);
  expect((await registry.release("late")).stable).toBe("1");
});

test("a version that a release names answers at once, also where a caller has missed it", async () => {
  const { registry, extra } = open();
  const candidates = [{ version: "2", percent: 100 }];
  extra.set("iris/release.json", JSON.stringify({ schema: 2, stable: "1", candidates }));
  const named = registry.resolve("iris", { version: "2" });
  await expect(named).rejects.toMatchObject({ code: "unknown_version" });
  const manifest = await readFile(join(import.meta.dirname, "../../models/iris/1/model.json"));
  extra.set("iris/2/model.json", JSON.stringify({ ...JSON.parse(String(manifest)), version: "2" }));
  expect((await registry.resolve("iris", { key: "ada" })).manifest.version).toBe("2");
});
