import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { startJobs } from "../jobs/started.ts";
import { SECRET, serveRegion, SMALL_MB, useServed } from "./deployments.ts";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const FILE = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n";
const AGAIN = { retryAfterSeconds: 5 };
const DAY_MS = 86_400_000;

describe.runIf(hasSqlite)("jobs and batches of an edge whose region", () => {
  const keep = useServed();
  let fate: "answers" | "is down" | "hangs";

  beforeEach(() => void (fate = "is down"));
  afterEach(() => void vi.useRealTimers());

  /** Nothing runs but what the test runs. */
  async function start(env: Record<string, string> = {}) {
    const SPILL_URL = await keep(
      serveRegion({}, (request) => {
        if (fate === "is down") request.socket.destroy();
        return fate === "answers";
      }),
    );
    const spills = { SPILL_URL, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
    const started = await startJobs({ STORE: "models", AUTH: "none", ...spills, ...env });
    onTestFinished(() => started.end());
    const { ask, jobs, perform, put, messageOf, batchName } = started;
    const run = (message: string) => jobs.run(message, 1, perform);
    const read = async (path: string) => (await (await ask(path)).json()) as object;
    return {
      read,
      ask,
      run,
      job: async () => {
        expect((await put("mine", { model: "iris", inputs: FLOWER })).status).toBe(202);
        return messageOf("mine");
      },
      batch: async () => {
        const made = await ask("/v1/batches/mine?model=iris", {
          method: "PUT",
          headers: { "Content-Type": "text/csv" },
          body: FILE,
        });
        expect(made.status).toBe(202);
        const name = await batchName("mine");
        expect(await run(`${name}.cut`)).toBe("done");
        return name;
      },
    };
  }

  test("is down wait for it, and are answered when it is back", async () => {
    const { ask, read, run, job, batch } = await start();
    const [message, name] = [await job(), await batch()];
    // Two of each leave the breaker closed.
    for (let times = 0; times < 2; times++) {
      expect(await run(message)).toEqual(AGAIN);
      expect(await run(`${name}.0`)).toEqual(AGAIN);
    }
    expect(await read("/v1/jobs/mine")).toMatchObject({ status: "queued" });
    expect((await ask("/v1/jobs/mine/result")).status).toBe(409);
    expect(await read("/v1/batches/mine")).toMatchObject({
      status: "running",
      counts: { completed: 0, failed: 0 },
    });

    fate = "answers";
    await run(message);
    const result = await ask("/v1/jobs/mine/result");
    expect([result.status, result.headers.get("x-nearcast-spillover")]).toEqual([200, "region"]);
    for (const what of ["0", "join"]) expect(await run(`${name}.${what}`)).toBe("done");
    expect(await read("/v1/batches/mine")).toMatchObject({ status: "succeeded" });
    expect(await (await ask("/v1/batches/mine/output")).text()).toContain('"label":"setosa"');
  });

  test("stays down expire when their own time is over, and not before", async () => {
    const { read, run, job, batch } = await start();
    const [message, name] = [await job(), await batch()];
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + DAY_MS - 10_000 });
    expect(await run(message)).toEqual(AGAIN);
    expect(await run(`${name}.0`)).toEqual(AGAIN);
    expect(await read("/v1/jobs/mine")).toMatchObject({ status: "queued" });
    vi.setSystemTime(Date.now() + 20_000);
    await run(message);
    await run(`${name}.keep`);
    expect(await read("/v1/jobs/mine")).toMatchObject({ status: "expired" });
    expect(await read("/v1/batches/mine")).toMatchObject({ status: "expired" });
  });

  test("hangs have the error of a call that was too late", async () => {
    const { ask, read, run, job, batch } = await start({ JOB_TIMEOUT_MS: "150" });
    fate = "hangs";
    const [message, name] = [await job(), await batch()];
    await run(message);
    expect(await read("/v1/jobs/mine")).toMatchObject({ status: "failed" });
    const result = await ask("/v1/jobs/mine/result");
    expect([result.status, await result.json()]).toMatchObject([
      504,
      { code: "deadline_exceeded" },
    ]);
    for (const what of ["0", "join"]) expect(await run(`${name}.${what}`)).toBe("done");
    const errors = await (await ask("/v1/batches/mine/errors")).text();
    expect(JSON.parse(errors)).toMatchObject({ line: 2, code: "deadline_exceeded" });
  });
});
