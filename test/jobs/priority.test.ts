import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
/** Some tens of milliseconds, on a fast machine too. */
const BODY = JSON.stringify({ inputs: { iterations: [10_000] } });
const JOBS = 30;
const AT_ONCE = 8;

/** An app that runs its jobs by itself, so many at once, with a model that takes its time. */
async function start(atOnce: number) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-priority-"));
  const env = {
    STORE: fixtures,
    JOBS_FILE: join(folder, "jobs.sqlite"),
    JOB_CONCURRENCY: `${atOnce}`,
    ACCESS_LOG: "false",
  };
  let runs = 0;
  const platform = createNodePlatform(env);
  const service = createService({
    ...platform,
    log: () => {},
    prepareSession(manifest, given) {
      const session = platform.prepareSession?.(manifest, given) ?? given;
      const run: typeof session.run = (...call) => {
        runs += 1;
        return session.run(...call);
      };
      return { ...session, run };
    },
  });
  onTestFinished(async () => {
    await service.jobs?.end();
    await rm(folder, { recursive: true });
  });
  const app = createApp(service);
  const ask = async (path: string, init?: RequestInit) => app.request(path, init);
  const predict = (headers: Record<string, string> = {}) =>
    ask("/v1/models/slow/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: BODY,
    });
  return {
    predict,
    /** How many runs have begun. */
    runs: () => runs,
    later: async () => {
      const made = await predict({ Prefer: "respond-async" });
      expect(made.status).toBe(202);
      return made.headers.get("location") ?? "";
    },
    statusOf: async (location: string) =>
      ((await (await ask(location)).json()) as { status: string }).status,
  };
}

describe.runIf(hasSqlite)("in one instance", () => {
  test("a request is answered before the jobs that wait", async () => {
    const { predict, later, statusOf, runs } = await start(AT_ONCE);
    expect((await predict()).status).toBe(200);
    const made: string[] = [];
    for (let job = 0; job < JOBS; job++) made.push(await later());
    const done = async () => {
      const statuses = await Promise.all(made.map(statusOf));
      return statuses.filter((status) => status === "succeeded").length;
    };
    while ((await done()) === 0) await sleep(2);
    const before = runs();
    expect((await predict()).status).toBe(200);
    // Its own, and one or two that began while the request was read.
    expect(runs() - before).toBeLessThanOrEqual(3);
    expect(await done()).toBeLessThan(JOBS);
    while ((await done()) < JOBS) await sleep(5);
  });

  test("no job begins while requests wait, and it does when they are answered", async () => {
    const { predict, later, statusOf } = await start(1);
    expect((await predict()).status).toBe(200);
    const all = { isOver: false, answered: 0 };
    const clients = Array.from({ length: 4 }, async () => {
      while (!all.isOver) {
        expect((await predict()).status).toBe(200);
        all.answered++;
      }
    });
    while (all.answered < 2) await sleep(2);
    const location = await later();
    const goal = all.answered + 12;
    while (all.answered < goal) {
      expect(await statusOf(location)).toBe("queued");
      await sleep(5);
    }
    all.isOver = true;
    await Promise.all(clients);
    while ((await statusOf(location)) !== "succeeded") await sleep(5);
  });
});
