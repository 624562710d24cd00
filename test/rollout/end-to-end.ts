import { expect, test, vi } from "vitest";
import type { Release } from "../../functions/model/release.ts";
import type { RolloutStatus } from "../../functions/rollout/status.ts";
import { nearcastProcess } from "../cli/nearcast.ts";
import type { Target } from "../harness/targets.ts";
import { RELEASE, type StartDeployment } from "./deployments.ts";
import { createLoad, HOUR_MS, onTrial, startWebhook, statusOf } from "./watched.ts";

/** The requests under way at a time. */
const PARALLEL = 8;
const ROUND = 100;
const MOST_ROUNDS = 200;
const TEN_PERCENT = { percent: 10 };
const BAD = { version: "bad", percent: 10 } as const;
const GOOD = { version: "good", percent: 10 } as const;
const TAKEN_BACK = /^\d+ of \d+ requests failed, and of stable's 0 of \d+$/;

/** What the issue of rollouts asks of each platform, with a version at 10 % under parallel load. */
export function rolloutCases(start: StartDeployment): void {
  test("a version that fails 20 % of its requests is gone by itself", async () => {
    const hook = await startWebhook();
    const { target, watch } = await start(await onTrial({ ...BAD, policy: { webhook: hook.url } }));
    await watch();
    const load = createLoad(target.fetch, PARALLEL);
    const { before, seen } = await loadUntil(target, load, isChanged);
    expect(seen["candidate 502"]).toBeGreaterThan(3);
    expect(seen["stable 502"]).toBeUndefined();
    await expectTakenBack(target, before);
    await vi.waitFor(
      () => expect(hook.told).toMatchObject([{ event: "rollback", version: "bad" }]),
      30_000,
    );
    expect(await load(50)).toEqual({ "stable 200": 50 });
  });

  test("a good version reaches 100 %, step by step", async () => {
    const steps = { percents: [10, 50, 100], everySeconds: 1 };
    const policy = { steps, minRequests: 20 };
    const { target, watch } = await start(await onTrial({ ...GOOD, policy }));
    await watch();
    const load = createLoad(target.fetch, PARALLEL);
    await loadUntil(target, load, hasAll);
    const { history } = await releaseOf(target);
    expect(history.map(({ change }) => change)).toEqual(["100 %", "50 %", "begun", undefined]);
    expect(noticesIn(target.logs())).toEqual(["step", "step"]);
    expect(await load(50)).toEqual({ "candidate 200": 50 });
  });

  test("two watchers at once make one change", async () => {
    const deployment = await start(await onTrial(BAD));
    const { target, command } = deployment;
    const args = ["rollout", "watch", "table", "--every", "0.2s", "--for", "90s"];
    const beside = nearcastProcess([...args, ...command.flags], { env: command.env });
    // Nobody else reads yet.
    await vi.waitFor(() => expect(target.store.gets()).toContain("table/release.json"), WAIT);
    // Whoever decides first, the other one decides before that is written.
    deployment.slowWrites(3000);
    await deployment.watch();
    const load = createLoad(target.fetch, PARALLEL);
    const { before } = await loadUntil(target, load, isChanged);
    const { code, stdout, stderr } = await beside;
    expect(await load(ROUND)).toEqual({ "stable 200": ROUND });
    expect(deployment.writes()).toBeGreaterThan(1);
    const { history, revision } = await releaseOf(target);
    expect(revision).toBe(before.revision + 1);
    expect(history.map(({ change }) => change)).toEqual(["taken back", "begun", undefined]);
    const [own, others] = [noticesIn(stdout), noticesIn(target.logs())];
    expect([...own, ...others]).toEqual(["rollback"]);
    expect(code).toBe(own.length);
    expect(stdout + stderr).toMatch(code === 1 ? /was taken back/ : /no version on trial/);
  });

  test("after an hour without a watcher it goes on one step, by all that was counted", async () => {
    const { target, watch, looked, load, counted, policy } = await anHourAlone("good");
    const { "candidate 200": own = 0 } = counted;
    await watch();
    const { "candidate 200": later = 0 } = await load(10);
    await vi.waitFor(async () => expect(await percentOf(target)).toBe(50), WAIT);
    const { history, candidates } = await releaseOf(target);
    const [, said] = /^after (\d+) requests at 10 %$/.exec(history[0]?.why ?? "") ?? [];
    expect(Number(said)).toBeGreaterThanOrEqual(own);
    expect(Number(said)).toBeLessThanOrEqual(own + later);
    expect(candidates[0]?.segments).toHaveLength(2);
    // The next step needs its own time.
    await load(ROUND);
    await vi.waitFor(async () => {
      const [candidate] = (await statusOf(target)).candidates;
      expect(candidate?.segments[1]?.counts.candidate.requests).toBeGreaterThan(policy.minRequests);
    }, WAIT);
    await looked();
    expect(await percentOf(target)).toBe(50);
  });

  test("after an hour without a watcher a bad version is taken back, by all that was counted", async () => {
    const { target, watch, load, counted, before } = await anHourAlone("bad");
    const { "candidate 200": good = 0, "candidate 502": failed = 0 } = counted;
    await watch();
    await load(10);
    await expectTakenBack(target, before);
    const { history } = await releaseOf(target);
    const [errors, all] = (history[0]?.why?.match(/\d+/g) ?? []).map(Number);
    expect(errors).toBeGreaterThanOrEqual(failed);
    expect(all).toBeGreaterThanOrEqual(good + failed);
  });

  test("the store is down at the moment of rollback: it is done once, when the store is back", async () => {
    const hook = await startWebhook();
    const models = await onTrial({ ...BAD, policy: { webhook: hook.url } });
    const { target, watch, looked, evict, writes } = await start(models);
    const { store } = target;
    store.behave("unavailable", RELEASE, { method: "put" });
    await watch();
    const load = createLoad(target.fetch, PARALLEL);
    const { before } = await loadUntil(target, load, isKnown);
    await vi.waitFor(() => expect(writes()).toBeGreaterThan(1), WAIT);
    await vi.waitFor(() => expect(target.logs()).toContain("this look failed"), WAIT);
    // Callers notice nothing, and it stays on trial.
    expect(Object.keys(await load(ROUND)).sort()).toContain("stable 200");
    expect(await statusOf(target)).toMatchObject({ revision: before.revision });
    store.behave("down");
    await looked();
    await evict?.();
    expect(await releaseOf(target)).toMatchObject({ candidates: [TEN_PERCENT] });
    expect(hook.told).toEqual([]);
    store.behave("ok");
    // Nobody asks meanwhile: what looks goes on by itself.
    await expectTakenBack(target, before);
    expect(await load(ROUND)).toEqual({ "stable 200": ROUND });
    expect(await releaseOf(target)).toMatchObject({ revision: before.revision + 1 });
    expect(hook.told).toMatchObject([{ event: "rollback", version: "bad" }]);
  });

  test("stable itself failing is no reason to take the candidate back", async () => {
    const models = await onTrial({ ...GOOD, stable: "bad" });
    const { target, watch, looked } = await start(models);
    await watch();
    const before = await statusOf(target);
    const seen = await createLoad(target.fetch, PARALLEL)(600);
    expect(seen["stable 502"]).toBeGreaterThan(50);
    expect(seen["candidate 502"]).toBeUndefined();
    const { candidates } = await untilCounted(target, 600);
    expect(candidates[0]).not.toHaveProperty("problem");
    await looked();
    expect(await releaseOf(target)).toMatchObject({
      revision: before.revision,
      candidates: [TEN_PERCENT],
    });
    expect(noticesIn(target.logs())).toEqual([]);
  });

  /** A version that began an hour ago, with requests that nobody has looked at. */
  async function anHourAlone(version: "good" | "bad") {
    const steps = { percents: [10, 50, 100], everySeconds: 600 };
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - HOUR_MS });
    const policy = { steps, minRequests: 20 };
    const models = await onTrial({ version, ...TEN_PERCENT, policy }).finally(() =>
      vi.useRealTimers(),
    );
    const deployment = await start(models);
    const { target } = deployment;
    const load = createLoad(target.fetch, PARALLEL);
    const counted = await load(600);
    const before = await untilCounted(target, 600);
    expect(before.candidates).toMatchObject([TEN_PERCENT]);
    return { ...deployment, policy, load, counted, before };
  }
}

const WAIT = { timeout: 60_000, interval: 200 };

const hasAll = ({ candidates }: RolloutStatus) => candidates[0]?.percent === 100;
const isKnown = ({ candidates }: RolloutStatus) => candidates[0]?.problem !== undefined;
const isChanged = ({ revision }: RolloutStatus, before: RolloutStatus) =>
  revision !== before.revision;

/** Asks until the status is as it should be, so often at most. */
async function loadUntil(
  target: Target,
  load: ReturnType<typeof createLoad>,
  isOver: (status: RolloutStatus, before: RolloutStatus) => boolean,
) {
  const before = await statusOf(target);
  expect(before.candidates).toMatchObject([TEN_PERCENT]);
  const seen: Record<string, number> = {};
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (const [said, count] of Object.entries(await load(ROUND)))
      seen[said] = (seen[said] ?? 0) + count;
    if (isOver(await statusOf(target), before)) return { before, seen };
  }
  throw new Error(`nothing after ${MOST_ROUNDS * ROUND} requests: ${JSON.stringify(seen)}`);
}

/** The status, once all of so many requests are counted. */
async function untilCounted(target: Target, requests: number): Promise<RolloutStatus> {
  return vi.waitFor(async () => {
    const status = await statusOf(target);
    const [candidate] = status.candidates;
    expect((candidate?.requests ?? 0) + (candidate?.stable.requests ?? 0)).toBe(requests);
    return status;
  }, WAIT);
}

/** The version gets nothing more: one change, with its reason in the history and the log. */
async function expectTakenBack(target: Target, before: RolloutStatus): Promise<void> {
  await vi.waitFor(async () => {
    expect((await releaseOf(target)).revision).not.toBe(before.revision);
    expect(noticesIn(target.logs())).toEqual(["rollback"]);
  }, WAIT);
  const { history, ...release } = await releaseOf(target);
  const candidates = [{ version: "bad", percent: 0 }];
  expect(release).toMatchObject({ revision: before.revision + 1, stable: "1", candidates });
  expect(history.map(({ change }) => change)).toEqual(["taken back", "begun", undefined]);
  expect(history[0]?.why).toMatch(TAKEN_BACK);
  expect(history[0]?.by).toMatch(/^nearcast on /);
  expect(target.logs()).toContain(history[0]?.why);
}

/** The release as it lies in the store. */
async function releaseOf({ store }: Target): Promise<Release> {
  const text = (await store.texts("table/release.json")).get("table/release.json");
  return JSON.parse(text ?? "null") as Release;
}

async function percentOf(target: Target): Promise<unknown> {
  return (await releaseOf(target)).candidates[0]?.["percent"];
}

/** What the lines of a log say of rollouts: `rollback` or `step`. */
function noticesIn(log: string): string[] {
  const lines = log.matchAll(
    /"message":"rollout","model":"table","version":"\w+","event":"(\w+)"/g,
  );
  return Array.from(lines, ([, event]) => event ?? "");
}
