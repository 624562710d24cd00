import { expect, test } from "vitest";
import { createRegistry } from "../../functions/model/registry.ts";
import { createSessions } from "../../functions/model/sessions.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";
import type { Tensors } from "../../functions/tensor.ts";

const feeds: Tensors = {
  features: { datatype: "FP32", shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) },
};

/** Real models on the native runtime, with a budget that holds one of them. */
async function open() {
  const platform = createNodePlatform({ SESSION_BUDGET_MB: "0.2" });
  const registry = createRegistry(platform, createTasks());
  const sessions = createSessions(platform, registry);
  const iris = (await registry.resolve("iris")).manifest;
  const sentiment = (await registry.resolve("sentiment")).manifest;
  return { sessions, iris, sentiment };
}

test("a session that is evicted while it is leased runs on, and is released after its lease", async () => {
  const { sessions, iris, sentiment } = await open();
  const lease = await sessions.acquire(iris);
  (await sessions.acquire(sentiment)).end();
  expect(sessions.count()).toBe(1);
  const outputs = await lease.session.run(feeds, ["probabilities"]);
  expect(outputs["probabilities"]?.data[0]).toBeGreaterThan(0.9);
  lease.end();
  await expect(lease.session.run(feeds, ["probabilities"])).rejects.toThrow();
});

test("runs already called when their session is evicted all settle", async () => {
  const { sessions, iris, sentiment } = await open();
  const leases = await Promise.all(Array.from({ length: 20 }, async () => sessions.acquire(iris)));
  const runs = leases.map(({ session, end }) => session.run(feeds, ["probabilities"]).finally(end));
  (await sessions.acquire(sentiment)).end();
  for (const outputs of await Promise.all(runs))
    expect(outputs["probabilities"]?.data[0]).toBeGreaterThan(0.9);
});

test("two leases of one artifact are one session", async () => {
  const { sessions, iris } = await open();
  const [one, two] = await Promise.all([sessions.acquire(iris), sessions.acquire(iris)]);
  expect(one.session).toBe(two.session);
  one.end();
  two.end();
});
