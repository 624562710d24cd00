import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createRegistry } from "../../functions/model/registry.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";
import type { Store } from "../../functions/model/store.ts";

/** A registry over the shipped models, whose store can be taken down and says what it was asked. */
function open(environment: NodeJS.ProcessEnv = {}, expected = new Map<string, string>()) {
  const platform = { ...createNodePlatform(environment), expected };
  const { store } = platform;
  const asked: { key: string; ifNoneMatch?: string | undefined }[] = [];
  const state = { down: false };
  const reachable = <T>(read: () => Promise<T>): Promise<T> =>
    state.down ? Promise.reject(new Error("down")) : read();
  const observed: Store = {
    ...store,
    get(key, options) {
      asked.push({ key, ifNoneMatch: options?.ifNoneMatch });
      return reachable(() => store.get(key, options));
    },
    list(prefix, options) {
      asked.push({ key: prefix });
      return reachable(() => store.list(prefix, options));
    },
  };
  const quiet = { ...platform, store: observed, log: () => undefined };
  return { registry: createRegistry(quiet, createTasks()), asked, state };
}

test("a name that none can have never reaches the store", async () => {
  const { registry, asked } = open();
  for (const name of ["..", "../..", "../../usr", "iris/1", ""]) {
    expect(await registry.versions(name)).toEqual(new Map());
    await expect(registry.resolve(name)).rejects.toMatchObject({ code: "unknown_model" });
    if (name !== "")
      await expect(registry.resolve("iris", { version: name })).rejects.toMatchObject({
        code: "unknown_version",
      });
  }
  expect(asked.map(({ key }) => key)).toEqual(["iris/release.json"]);
});

test("names that clients make up do not push out the releases of real models", async () => {
  const { registry, state } = open({ RELEASE_TTL_SECONDS: "0" });
  await registry.resolve("iris");
  for (let start = 0; start < 1100; start += 50)
    await Promise.allSettled(
      Array.from({ length: 50 }, async (_, index) => registry.resolve(`made-up-${start + index}`)),
    );
  state.down = true;
  expect((await registry.resolve("iris")).manifest.version).toBe("1");
});

test("a release is asked for again with its ETag, and after a failure not before its time", async () => {
  const { registry, asked, state } = open({ RELEASE_TTL_SECONDS: "1" });
  await registry.release("iris");
  await sleep(1100);
  await registry.release("iris");
  expect(asked[0]?.ifNoneMatch).toBeUndefined();
  expect(asked[1]?.ifNoneMatch).toMatch(/^"/);
  await sleep(1100);
  state.down = true;
  const before = asked.length;
  await Promise.all([registry.release("iris"), registry.release("iris")]);
  await registry.release("iris");
  expect(asked.length - before).toBe(1);
});

test("the version of the deployment is read together with the release, and only for the first release", async () => {
  const { registry, asked } = open({ RELEASE_TTL_SECONDS: "0" }, new Map([["iris", "1"]]));
  expect((await registry.resolve("iris")).manifest.version).toBe("1");
  await registry.resolve("iris");
  expect(asked.map(({ key }) => key)).toEqual([
    "iris/1/model.json",
    "iris/release.json",
    "iris/release.json",
  ]);
});

test("the release decides, whatever the deployment expected", async () => {
  const { registry } = open({}, new Map([["iris", "7"]]));
  const { manifest, reason } = await registry.resolve("iris");
  expect([manifest.version, reason]).toEqual(["1", "stable"]);
});
