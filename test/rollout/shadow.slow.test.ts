import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { CandidateStatus } from "../../functions/rollout/status.ts";
import { targets, type StartTarget, type Target, type TargetOptions } from "../harness/targets.ts";
import { INDEXES } from "./models.ts";
import { createLoad, onTrial, statusOf } from "./watched.ts";

vi.setConfig({ testTimeout: 180_000 });

const EXACT = { tolerance: { absolute: 0.5, relative: 0 } };
const ENV = { RELEASE_TTL_SECONDS: "0", ROLLOUT_WATCH_SECONDS: "1", ACCESS_LOG: "false" };

const platforms: Record<string, StartTarget> = {
  Workers: targets.worker,
  "Node with processes": (options) =>
    targets.node({ ...options, env: { WORKERS: "2", ...options?.env } }),
  "Node with WASM": targets.nodeWasm,
};

async function start(begin: StartTarget, options: TargetOptions): Promise<Target> {
  const target = await begin({ ...options, env: { ...ENV, ...options.env } });
  onTestFinished(target.stop);
  return target;
}

async function candidateOf(target: Target): Promise<CandidateStatus> {
  const [candidate] = (await statusOf(target)).candidates;
  if (!candidate) throw new Error("nothing is on trial");
  return candidate;
}

async function ask(target: Target, index: number): Promise<void> {
  const answer = await target.fetch("/v1/models/table/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: [index] }),
  });
  expect(await answer.json()).toMatchObject({ version: "1", outputs: { value: index * 10 } });
  expect(answer.headers.get("X-Model-Assignment")).toBe("stable");
  // The copy gets its time.
  await sleep(60);
}

/** What was counted, once it is all of so many requests. */
async function countedOf(target: Target, requests: number): Promise<CandidateStatus> {
  let status = await candidateOf(target);
  await expect
    .poll(
      async () => {
        status = await candidateOf(target);
        const { dropped = {} } = status.copies;
        return status.requests + Object.values(dropped).reduce((sum, one) => sum + one, 0);
      },
      { timeout: 30_000 },
    )
    .toBe(requests);
  return status;
}

describe.each(Object.entries(platforms))("%s", (_, begin) => {
  test("stable answers, and what the copies answer otherwise is counted", async () => {
    const models = await onTrial({ version: "other", shadow: 100, policy: EXACT });
    const target = await start(begin, { models });
    // The first three inputs are answered otherwise, and the others alike.
    for (let round = 0; round < 10; round++) await ask(target, round % 3);
    const first = await countedOf(target, 10);
    expect(first.copies.compared).toBeGreaterThan(5);
    expect(first.copies.disagreed).toBe(first.copies.compared);
    for (let round = 0; round < 14; round++) await ask(target, 3 + (round % 7));
    const second = await countedOf(target, 24);
    expect(second.copies.compared).toBeGreaterThan(first.copies.compared + 7);
    expect(second.copies.disagreed).toBe(first.copies.disagreed);
    expect(second).toMatchObject({ errors: 0, stable: { requests: 24, errors: 0 } });
    const metrics = await (await target.fetch("/metrics")).text();
    expect(metrics).toContain(
      `nearcast_shadow_disagreements_total{model="table",version="other"} ${first.copies.disagreed}`,
    );
  });

  test("a version whose copies fail gets none any more, by itself", async () => {
    const models = await onTrial({ version: "bad", shadow: 100 });
    const target = await start(begin, { models });
    let round = 0;
    while ((await candidateOf(target)).shadow !== 0 && round++ < 200)
      await ask(target, round % INDEXES);
    expect(await statusOf(target)).toMatchObject({
      revision: 2,
      stable: "1",
      candidates: [{ version: "bad", shadow: 0 }],
    });
    await expect
      .poll(() => target.logs())
      .toMatch(/\d+ of \d+ requests failed, and of stable's 0 of \d+/);
  });

  test("an answer does not wait for its copy", async () => {
    const models = await mkdtemp(join(tmpdir(), "nearcast-shadow-"));
    onTestFinished(() => rm(models, { recursive: true, force: true }));
    const slow = join(import.meta.dirname, "../fixtures/slow");
    await cp(slow, join(models, "slow"), { recursive: true });
    await cp(join(slow, "1"), join(models, "slow/2"), { recursive: true });
    const manifest = await readFile(join(slow, "1/model.json"), "utf8");
    await writeFile(
      join(models, "slow/2/model.json"),
      JSON.stringify({ ...JSON.parse(manifest), version: "2" }),
    );
    const candidate = {
      version: "2",
      shadow: 100,
      segments: [{ id: 1, since: new Date().toISOString(), share: 0.5 }],
    };
    const release = { schema: 2, revision: 1, stable: "1", salt: "s", candidates: [candidate] };
    await writeFile(join(models, "slow/release.json"), JSON.stringify(release));
    const target = await start(begin, { models, env: { REQUEST_TIMEOUT_MS: "30000" } });
    const timed = async (path: string, iterations: number): Promise<number> => {
      const began = performance.now();
      const answer = await target.fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: { iterations: [iterations] } }),
      });
      await answer.text();
      expect(answer.status).toBe(200);
      return performance.now() - began;
    };
    const alone = "/v1/models/slow/versions/1/predict";
    await timed(alone, 1);
    let iterations = 1000;
    while ((await timed(alone, iterations)) < 400) iterations *= 2;
    const path = "/v1/models/slow/predict";
    const copies = async () => {
      const answer = await target.fetch("/v1/models/slow/rollout");
      const { candidates } = (await answer.json()) as { candidates: CandidateStatus[] };
      const { compared = 0, dropped = {} } = candidates[0]?.copies ?? {};
      return { compared, ended: Object.values(dropped).reduce((a, b) => a + b, compared) };
    };
    let [without, copied] = [Infinity, Infinity];
    // Other work of the machine only adds.
    for (let time = 1; time <= 5 && !(copied < without * 1.6); time++) {
      without = Math.min(without, await timed(alone, iterations));
      copied = Math.min(copied, await timed(path, iterations));
      await expect.poll(async () => (await copies()).ended, { timeout: 30_000 }).toBe(time);
    }
    expect(copied).toBeLessThan(without * 1.6);
    expect((await copies()).compared).toBeGreaterThan(0);
  });
});

test("Lambda makes no copies, and says so", async () => {
  const models = await onTrial({ version: "bad", shadow: 100 });
  const target = await start(targets.lambda, { models });
  expect(await createLoad(target.fetch)(30)).toEqual({ "stable 200": 30 });
  expect(await candidateOf(target)).toMatchObject({
    shadow: 100,
    requests: 0,
    errors: 0,
    copies: { compared: 0, disagreed: 0, dropped: { platform: 30 } },
  });
  const lines = target.logs().match(/this platform makes no copies/g);
  expect(lines).toHaveLength(1);
});
