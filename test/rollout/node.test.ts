import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import { readRelease } from "../../functions/model/release.ts";
import { createMemoryCounters } from "../../functions/observe/memory-counters.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createService } from "../../functions/service.ts";
import { createLoad, HOUR_MS, onTrial, startWebhook } from "./watched.ts";

/** A folder with `table` on trial, and two servers' worth of services that count together. */
async function begin(trial: Parameters<typeof onTrial>[0], env: Record<string, string> = {}) {
  const folder = await onTrial(trial);
  const store = createFolderStore(folder);
  const logged: Record<string, unknown>[] = [];
  const counters = createMemoryCounters(() => undefined);
  const log = (entry: Record<string, unknown>) => void logged.push(entry);
  const open = () => {
    const platform = createNodePlatform({
      STORE: folder,
      ACCESS_LOG: "false",
      RELEASE_TTL_SECONDS: "0",
      ...env,
    });
    const service = createService({ ...platform, counters, log });
    return { service, app: createApp(service) };
  };
  const [one, other] = [open(), open()];
  let turn = 0;
  const load = createLoad((path, init) => ((turn += 1) % 2 ? other : one).app.request(path, init));
  const release = async () => {
    const found = await readRelease(store, "table");
    if (!found) throw new Error("there is no release");
    return found.release;
  };
  return { folder, store, one, other, load, release, logged };
}

test("a version that fails 20 % of its requests is gone by itself, and two watchers make one change", async () => {
  const hook = await startWebhook();
  const { one, other, load, release, logged } = await begin({
    version: "bad",
    percent: 10,
    policy: { webhook: hook.url },
  });
  let rounds = 0;
  const before = await release();
  while ((await release()).revision === before.revision && rounds++ < 60) {
    await load(100);
    await Promise.all([one, other].map(({ service }) => service.rollouts.lookAtKnown()));
  }
  const after = await release();
  expect(after).toMatchObject({
    revision: before.revision + 1,
    stable: "1",
    candidates: [{ version: "bad", percent: 0 }],
    history: [
      {
        version: "bad",
        by: "nearcast on node",
        change: "taken back",
        why: expect.stringMatching(/^\d+ of \d+ requests failed, and of stable's 0 of \d+$/),
      },
      { version: "bad" },
      { version: "1" },
    ],
  });
  const notice = { model: "table", version: "bad", event: "rollback", percent: 0, stable: "1" };
  expect(hook.told).toMatchObject([notice]);
  expect(logged.filter(({ message }) => message === "rollout")).toMatchObject([
    { level: "error", ...notice },
  ]);
  expect(await load(50)).toEqual({ "stable 200": 50 });
});

test("a good version reaches 100 %, step by step", async () => {
  const { one, load, release } = await begin({
    version: "good",
    percent: 20,
    policy: { steps: { percents: [20, 60, 100], everySeconds: 0.05 }, minRequests: 20 },
  });
  const seen: unknown[] = [];
  for (let round = 0; round < 30 && seen.at(-1) !== 100; round++) {
    await load(100);
    await one.service.rollouts.lookAtKnown();
    const [candidate] = (await release()).candidates;
    if (candidate && seen.at(-1) !== candidate["percent"]) seen.push(candidate["percent"]);
  }
  expect(seen.at(-1)).toBe(100);
  expect(seen.slice(-2)).toEqual([60, 100]);
  expect((await release()).history.map(({ change }) => change)).toEqual([
    "100 %",
    "60 %",
    "begun",
    undefined,
  ]);
  expect(await load(20)).toEqual({ "candidate 200": 20 });
  await one.service.rollouts.lookAtKnown();
  expect((await release()).candidates).toMatchObject([{ percent: 100 }]);
});

const HOURLY = { steps: { percents: [20, 60, 100], everySeconds: 600 }, minRequests: 20 };

test("after an hour without a watcher a rollout goes on where it was, one step at a time", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1) });
  onTestFinished(() => void vi.useRealTimers());
  const { one, other, load, release } = await begin({
    version: "good",
    percent: 20,
    policy: HOURLY,
  });
  const percent = async () => (await release()).candidates[0]?.["percent"];
  const look = () => Promise.all([one, other].map(({ service }) => service.rollouts.lookAtKnown()));
  await load(100);
  await look();
  expect(await percent()).toBe(20);
  for (let part = 0; part < 6; part++) {
    await load(50);
    vi.setSystemTime(Date.now() + HOUR_MS / 6);
  }
  await look();
  expect(await release()).toMatchObject({
    candidates: [{ percent: 60 }],
    history: [{ why: expect.stringMatching(/^after \d+ requests at 20 %$/) }, {}, {}],
  });
  // The counts are those of the whole hour, and its time is used up.
  expect(Number(/\d+/.exec((await release()).history[0]?.why ?? "")?.[0])).toBeGreaterThan(50);
  await load(100);
  await look();
  expect(await percent()).toBe(60);
  vi.setSystemTime(Date.now() + HOUR_MS / 6);
  await look();
  expect(await percent()).toBe(100);
});

test("after an hour without a watcher the first look takes a bad version back, by all that was counted", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1) });
  onTestFinished(() => void vi.useRealTimers());
  const { one, load, release } = await begin({ version: "bad", percent: 20, policy: HOURLY });
  const seen = { failed: 0, all: 0 };
  for (let part = 0; part < 6; part++) {
    const { "candidate 200": good = 0, "candidate 502": failed = 0 } = await load(100);
    seen.failed += failed;
    seen.all += good + failed;
    vi.setSystemTime(Date.now() + HOUR_MS / 6);
  }
  await one.service.rollouts.lookAtKnown();
  expect(await release()).toMatchObject({
    candidates: [{ version: "bad", percent: 0 }],
    history: [
      {
        change: "taken back",
        why: expect.stringContaining(`${seen.failed} of ${seen.all} requests failed`),
      },
      {},
      {},
    ],
  });
});

test("stable itself failing is no reason to take the candidate back", async () => {
  const { one, load, release } = await begin({ version: "good", percent: 20, stable: "bad" });
  const seen = await load(600);
  expect(seen["stable 502"]).toBeGreaterThan(50);
  await one.service.rollouts.lookAtKnown();
  expect((await release()).candidates).toMatchObject([{ version: "good", percent: 20 }]);
});

test("while the store is down nothing is lost: the rollback is tried until it is done", async () => {
  const { folder, one, load, release, logged } = await begin({ version: "bad", percent: 20 });
  await load(600);
  await rename(folder, `${folder}-away`);
  await one.service.rollouts.lookAtKnown();
  await one.service.rollouts.lookAtKnown();
  await rename(`${folder}-away`, folder);
  expect(logged).toContainEqual(
    expect.objectContaining({ message: "rollout: this look failed, and the next one decides" }),
  );
  expect((await release()).candidates).toMatchObject([{ percent: 20 }]);
  await one.service.rollouts.lookAtKnown();
  expect((await release()).candidates).toMatchObject([{ percent: 0 }]);
});

test("a candidate that cannot even be read is taken back", async () => {
  const { folder, one, load, release } = await begin({ version: "bad", percent: 20 });
  const path = join(folder, "table/bad/model.json");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace('"tabular-regression"', '"no-such-task"'));
  const seen = await load(200);
  expect(seen["candidate 502"]).toBeGreaterThan(20);
  await one.service.rollouts.lookAtKnown();
  expect((await release()).candidates).toMatchObject([{ percent: 0 }]);
});

test("a webhook that fails is tried twice and logged, and no redirect is followed", async () => {
  const hook = await startWebhook(302);
  const { one, load, release, logged } = await begin({
    version: "bad",
    percent: 20,
    policy: { webhook: hook.url },
  });
  await load(400);
  await one.service.rollouts.lookAtKnown();
  expect((await release()).candidates).toMatchObject([{ percent: 0 }]);
  expect(hook.told).toHaveLength(2);
  expect(logged).toContainEqual(
    expect.objectContaining({
      message: "rollout: the webhook failed",
      error: "Error: it answered 302",
    }),
  );
});

test("a webhook is signed with each of the deployment's secrets, and not without one", async () => {
  const secrets = ["b", "c"].map((letter) => `whsec_${btoa(letter.repeat(32))}`);
  for (const env of [{ WEBHOOK_SECRET: secrets.join(",") }, {}]) {
    const hook = await startWebhook();
    const trial = { version: "bad", percent: 20, policy: { webhook: hook.url } } as const;
    const { one, load } = await begin(trial, env);
    await load(400);
    await one.service.rollouts.lookAtKnown();
    const [got] = hook.raw;
    if (!got) return expect.unreachable("It was not told.");
    const headers = got.headers as Record<string, string>;
    if (!("WEBHOOK_SECRET" in env)) return expect(headers).not.toHaveProperty("webhook-signature");
    for (const secret of secrets)
      expect(new Webhook(secret).verify(got.body, headers)).toEqual(hook.told[0]);
    const forged = new Webhook(`whsec_${btoa("d".repeat(32))}`);
    expect(() => forged.verify(got.body, headers)).toThrow();
  }
});

test("GET /v1/models/{model}/rollout has the evidence, without the webhook", async () => {
  const hook = await startWebhook();
  const { one, load } = await begin({
    version: "good",
    percent: 50,
    policy: { webhook: hook.url },
  });
  await load(100);
  const answer = await one.app.request("/v1/models/table/rollout");
  const text = await answer.text();
  expect(text).not.toContain(hook.url);
  const status = JSON.parse(text) as {
    candidates: { requests: number; stable: { requests: number } }[];
  };
  expect(status).toMatchObject({
    model: "table",
    stable: "1",
    candidates: [
      { version: "good", percent: 50, errors: 0, segments: [{ segment: { share: 0.5 } }] },
    ],
  });
  const [candidate] = status.candidates;
  expect((candidate?.requests ?? 0) + (candidate?.stable.requests ?? 0)).toBe(100);
  expect((await one.app.request("/v1/models/none/rollout")).status).toBe(404);
});
