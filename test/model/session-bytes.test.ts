import { expect, test } from "vitest";
import { createRegistry } from "../../functions/model/registry.ts";
import { createSessions } from "../../functions/model/sessions.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";

/** Sessions of shipped models, under a budget of so many megabytes. */
async function loaded(environment: Record<string, string>, names: readonly string[]) {
  const platform = createNodePlatform({ ...environment });
  const registry = createRegistry(platform, createTasks());
  const sessions = createSessions(platform, registry);
  for (const name of names) {
    const { manifest } = await registry.resolve(name);
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

test("WASM has a bound of its own, and its sessions count by their files", async () => {
  const environment = { SESSION_BUDGET_MB: "1", RUNTIME: "wasm" };
  expect(await loaded(environment, ["iris", "sentiment"])).toBe(2);
});
