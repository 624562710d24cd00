import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Release } from "../../functions/model/release.ts";
import { targets } from "../harness/targets.ts";
import { createLoad, onTrial } from "./watched.ts";

vi.setConfig({ testTimeout: 180_000 });

test("Workers: with all requests a candidate is looked at seldom, until its release changes", async () => {
  const models = await onTrial({ version: "good", percent: 100 });
  const env = { ROLLOUT_WATCH_SECONDS: "1", RELEASE_TTL_SECONDS: "15" };
  const target = await targets.worker({ models, env });
  onTestFinished(target.stop);
  const load = createLoad(target.fetch);
  expect(await load(20)).toEqual({ "candidate 200": 20 });
  const looks = () => target.store.gets().filter((key) => key === "table/release.json").length;
  // The Worker's own read, and the look that finds out.
  await expect.poll(looks, { timeout: 10_000 }).toBe(2);
  for (let second = 0; second < 5; second++) {
    await sleep(1000);
    await load(5);
  }
  expect(looks()).toBe(2);
  const bad = await onTrial({ version: "bad", percent: 50 });
  const release = JSON.parse(await readFile(join(bad, "table/release.json"), "utf8")) as object;
  const next = { ...release, revision: 2 } as unknown as Release;
  for (const one of next.candidates) for (const segment of one.segments) segment.id = 2;
  await target.store.put("table/release.json", JSON.stringify(next));
  await sleep(15_000);
  await load(200);
  await expect.poll(() => target.logs(), { timeout: 10_000 }).toContain("of stable's 0 of");
});
