import { expect, test } from "vitest";
import { createRegistry } from "../../functions/model/registry.ts";
import { createSessions } from "../../functions/model/sessions.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";

/** Sessions of shipped models, under a budget of so many megabytes. With `sessionBytes` as if that was measured. */
async function loaded(
  environment: Record<string, string>,
  names: readonly string[],
  sessionBytes?: number,
) {
  const platform = createNodePlatform({ ...environment });
  const registry = createRegistry(platform, createTasks());
  const sessions = createSessions(platform, registry);
  for (const name of names) {
    const { manifest: shipped } = await registry.resolve(name);
    const artifact = { ...shipped.artifact, ...(sessionBytes && { sessionBytes }) };
    const manifest = { ...shipped, artifact };
    (await sessions.acquire(manifest)).end();
    expect(sessions.has(manifest)).toBe(true);
  }
  return sessions.count();
}

// Their files have 0.25 MB. As sessions the trees of iris take 0.5 MB, and the words of sentiment 3 MB.
test.each([
  ["1", 1],
  ["6", 2],
])("a budget of %s MB counts what sessions take, and not their files", async (budget, count) => {
  expect(await loaded({ SESSION_BUDGET_MB: budget }, ["iris", "sentiment"])).toBe(count);
});

test.each([
  ["10", 4_000_000, 2],
  ["10", 6_000_000, 1],
  // Lower than the estimates, which have room for one.
  ["1", 200_000, 2],
  // A session counts as some pages at least.
  ["0.19", 1, 1],
])(
  "under %s MB, sessions of which each was measured to hold %s bytes: %s",
  async (budget, each, count) => {
    const environment = { SESSION_BUDGET_MB: budget };
    expect(await loaded(environment, ["iris", "sentiment"], each)).toBe(count);
  },
);

test("WASM has a bound of its own, and its sessions count by their files", async () => {
  const environment = { SESSION_BUDGET_MB: "1", RUNTIME: "wasm" };
  expect(await loaded(environment, ["iris", "sentiment"])).toBe(2);
  expect(await loaded(environment, ["iris", "sentiment"], 4_000_000)).toBe(2);
});
