import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { Queue } from "../../functions/jobs/queue.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { JOB_ROUTES } from "./routes.ts";
import { release, startJobs, useModels, tryOut } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const PREDICT = "/v1/models/iris/predict";
const TOKEN = "a-token-of-the-metrics";

const models = useModels();

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, DEFAULT_MODEL: "iris", ...env });
  onTestFinished(() => started.end());
  return started;
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString("hex");
const locationOf = (answer: Response) => answer.headers.get("location") ?? "";

const laterBy = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);
const neverPerform = () => Promise.reject(new Error("it runs"));

/** A request of each dialect: its path, body, header fields. */
const REQUESTS: Record<string, [string, unknown, Record<string, string>?]> = {
  native: [PREDICT, { inputs: [SETOSA, SETOSA] }],
  "native, a version": ["/v1/models/iris/versions/2/predict", { inputs: SETOSA }],
  "native, wrong inputs": [PREDICT, { inputs: [1, 2, 3] }],
  "Open Inference Protocol": [
    "/v2/models/iris/infer",
    { inputs: [{ name: "input", shape: [1, 4], datatype: "FP32", data: SETOSA }] },
  ],
  "Open Inference Protocol, wrong tensor": [
    "/v2/models/iris/infer",
    { inputs: [{ name: "nothing", shape: [1, 4], datatype: "FP32", data: SETOSA }] },
  ],
  "TensorFlow Serving": ["/v1/models/iris:predict", { instances: [SETOSA] }],
  MLflow: ["/invocations", { inputs: [SETOSA] }],
  "MLflow, CSV": [
    "/invocations",
    "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n",
    { "Content-Type": "text/csv" },
  ],
  OpenAI: ["/v1/embeddings", { model: "search", input: ["a text", "another"] }],
  "TEI, without a model": ["/embed", { inputs: ["a text", "another"] }],
};

describe.runIf(hasSqlite)("jobs", () => {
  test.for(Object.entries(REQUESTS))(
    "the answer is byte for byte that of the call: %s",
    async ([, [path, body, own = {}]]) => {
      const { post, later, ended, ask, work } = await start();
      work();
      const headers = { ...own, "X-Request-Id": "one-request" };
      const now = await post(path, body, headers);
      const made = await later(path, body, headers);
      expect(made.status).toBe(202);
      expect(made.headers.get("preference-applied")).toBe("respond-async");
      const job = await ended(locationOf(made));
      expect(job.status).toBe(now.status < 400 ? "succeeded" : "failed");
      const result = await ask(`${locationOf(made)}/result`);
      expect(result.status).toBe(now.status);
      for (const name of ["content-type", "x-model-version", "x-model-digest", "x-request-id"])
        expect(result.headers.get(name)).toBe(now.headers.get(name));
      expect(await bytesOf(result)).toBe(await bytesOf(now));
    },
  );

  test("a result names the deployment that gives it, and not the one that ran the call", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-two-deployments-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const JOBS_FILE = join(folder, "jobs.sqlite");
    const old = await start({ JOBS_FILE, DEPLOYMENT_ID: "old" });
    old.work();
    const made = await old.later(PREDICT, { inputs: SETOSA });
    await old.ended(locationOf(made));
    const fresh = await start({ JOBS_FILE, DEPLOYMENT_ID: "fresh" });
    const result = await fresh.ask(`${locationOf(made)}/result`);
    expect([result.status, result.headers.get("x-deployment-id")]).toEqual([200, "fresh"]);
  });

  test("what cannot be a call at all is refused at once", async () => {
    const { later } = await start();
    expect((await later("/v1/models/nobody/predict", { inputs: SETOSA })).status).toBe(404);
    expect((await later(PREDICT, "{")).status).toBe(400);
    const headers = { "Idempotency-Key": "no spaces" };
    expect((await later(PREDICT, { inputs: SETOSA }, headers)).status).toBe(400);
  });

  test("an id makes one job: the same request again is that job, another one is refused", async () => {
    const { later, put, work, ended, ask } = await start();
    const headers = { "Idempotency-Key": '"order-1"' };
    const all = await Promise.all(
      Array.from({ length: 10 }, () => later(PREDICT, { inputs: SETOSA }, headers)),
    );
    expect(all.map(({ status }) => status)).toEqual(Array(10).fill(202));
    expect(new Set(all.map(locationOf))).toEqual(new Set(["/v1/jobs/order-1"]));
    expect((await later(PREDICT, { inputs: [1, 2, 3, 4] }, headers)).status).toBe(422);

    expect((await put("mine", { model: "iris", inputs: SETOSA })).status).toBe(202);
    expect((await put("mine", { model: "iris", inputs: SETOSA })).status).toBe(202);
    expect((await put("mine", { model: "iris", inputs: [1, 2, 3, 4] })).status).toBe(422);
    expect((await put("other", { model: "iris", input: SETOSA })).status).toBe(422);
    work();
    expect(await ended("/v1/jobs/mine")).toMatchObject({ id: "mine", status: "succeeded" });
    expect(await (await ask("/v1/jobs/mine/result")).json()).toMatchObject({
      outputs: { label: "setosa" },
    });
    await ended("/v1/jobs/order-1");
  });

  test("a job's body may be compressed, and of no type", async () => {
    const { ask, work, ended } = await start();
    const body = gzipSync(JSON.stringify({ model: "iris", inputs: SETOSA }));
    const headers = { "Content-Encoding": "gzip" };
    expect((await ask("/v1/jobs/small", { method: "PUT", headers, body })).status).toBe(202);
    work();
    expect(await ended("/v1/jobs/small")).toMatchObject({ status: "succeeded" });
  });

  test("the version is decided when the job is made", async () => {
    const { later, work, ended, ask } = await start({ RELEASE_TTL_SECONDS: "0" });
    const made = await later(PREDICT, { inputs: SETOSA });
    await release(models.path, "iris", "2");
    onTestFinished(() => release(models.path, "iris", "1"));
    work();
    expect(await ended(locationOf(made))).toMatchObject({ version: "1" });
    const result = await ask(`${locationOf(made)}/result`);
    expect(await result.json()).toMatchObject({ version: "1" });
    expect(result.headers.get("x-model-assignment")).toBe("stable");
  });

  test("a candidate answers a job of its keys, also when its share has ended since", async () => {
    const { later, work, ended, ask } = await start({ RELEASE_TTL_SECONDS: "0" });
    await tryOut(models.path, "iris", 100);
    onTestFinished(() => release(models.path, "iris", "1"));
    const made = await later(PREDICT, { inputs: SETOSA }, { "X-Nearcast-Key": "somebody" });
    await release(models.path, "iris", "1");
    work();
    expect(await ended(locationOf(made))).toMatchObject({ status: "succeeded", version: "2" });
    const result = await ask(`${locationOf(made)}/result`);
    expect(result.headers.get("x-model-assignment")).toBe("candidate");
  });

  test("a client may wait for the answer, and gets the job when it does not come", async () => {
    const { later, work, ended } = await start();
    const idle = await later(PREDICT, { inputs: SETOSA }, { Prefer: "respond-async, wait=0.1" });
    expect(idle.status).toBe(202);
    work();
    const waited = await later(PREDICT, { inputs: SETOSA }, { Prefer: "respond-async;wait=10" });
    expect(waited.status).toBe(200);
    expect(waited.headers.get("preference-applied")).toBe("respond-async, wait=10");
    expect(await waited.json()).toMatchObject({ outputs: { label: "setosa" } });
    await ended(locationOf(idle));
  });

  test("a cancelled job does not run, and a removed one leaves nothing", async () => {
    const { later, ask, jobs, perform, messageOf } = await start();
    const made = await later(PREDICT, { inputs: SETOSA }, { "Idempotency-Key": "gone" });
    const cancelled = await ask(`${locationOf(made)}/cancel`, { method: "POST" });
    expect(await cancelled.json()).toMatchObject({ status: "canceled" });
    const message = await messageOf("gone");
    expect(await jobs.run(message, 1, neverPerform)).toMatchObject({
      retryAfterSeconds: expect.any(Number) as number,
    });
    expect((await ask(`${locationOf(made)}/result`)).status).toBe(409);
    expect((await ask(locationOf(made), { method: "DELETE" })).status).toBe(200);
    expect((await ask(locationOf(made))).status).toBe(404);
    expect(await jobs.run(message, 1, perform)).toBe("done");
  });

  test("a job that is cancelled while it runs has no answer", async () => {
    const { later, ask, platform, jobs, perform, messageOf } = await start();
    const made = await later(PREDICT, { inputs: SETOSA }, { "Idempotency-Key": "late" });
    const key = await platform.sha256("anonymous\nlate");
    await jobs.run(await messageOf("late"), 1, async (job, body) => {
      await ask(`${locationOf(made)}/cancel`, { method: "POST" });
      return perform(job, body);
    });
    expect(await (await ask(locationOf(made))).json()).toMatchObject({ status: "canceled" });
    expect(await platform.jobs?.store.list(`.jobs/${key}/`)).toEqual([`.jobs/${key}/job.json`]);
  });

  test("two consumers of one job give one answer", async () => {
    const { later, ask, jobs, perform, messageOf } = await start();
    const made = await later(PREDICT, { inputs: SETOSA }, { "Idempotency-Key": "twice" });
    const message = await messageOf("twice");
    await Promise.all([jobs.run(message, 1, perform), jobs.run(message, 1, perform)]);
    const events = await (await ask(`${locationOf(made)}/events`)).text();
    expect(events.match(/"succeeded"/g)).toHaveLength(1);
    expect((await ask(`${locationOf(made)}/result`)).status).toBe(200);
  });

  test("a job whose process ends each time is given up", async () => {
    const { later, ask, jobs, perform, messageOf } = await start({ METRICS_TOKEN: TOKEN });
    const made = await later(PREDICT, { inputs: SETOSA }, { "Idempotency-Key": "poison" });
    const message = await messageOf("poison");
    await jobs.run(message, 6, perform);
    expect(await (await ask(locationOf(made))).json()).toMatchObject({ status: "failed" });
    const result = await ask(`${locationOf(made)}/result`);
    expect(result.status).toBe(500);
    const error = (await result.json()) as Record<string, unknown>;
    expect(error).toMatchObject({ code: "internal" });
    expect(error["detail"]).toMatch(/given up/);
    const metrics = await (await ask("/metrics", { headers: bearer(TOKEN) })).text();
    for (const status of ["queued", "failed"])
      expect(metrics).toContain(
        `nearcast_jobs_total{model="iris",version="1",status="${status}"} 1\n`,
      );
  });

  describe("when its time is over", () => {
    const DAY_MS = 86_400_000;
    beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
    afterEach(() => void vi.useRealTimers());

    test("a job that has ended is not seen, whether or not it was removed, and its id is free", async () => {
      const { put, ask, platform, jobs, perform, messageOf } = await start();
      await put("old", { model: "iris", inputs: SETOSA });
      const key = await platform.sha256("anonymous\nold");
      const message = await messageOf("old");
      expect(await jobs.run(message, 1, perform)).toEqual({
        retryAfterSeconds: DAY_MS / 1000,
        hasEnded: true,
      });
      laterBy(DAY_MS);
      for (const path of ["", "/result", "/events"])
        expect((await ask(`/v1/jobs/old${path}`)).status).toBe(404);
      expect((await put("old", { model: "iris", inputs: [1, 2, 3, 4] })).status).toBe(202);
      expect(await platform.jobs?.store.list(`.jobs/${key}/`)).toEqual([
        expect.stringContaining("/input-"),
        `.jobs/${key}/job.json`,
      ]);
      expect(await jobs.run(message, 1, neverPerform)).toBe("done");
      const next = await messageOf("old");
      await jobs.run(next, 1, perform);
      expect((await ask("/v1/jobs/old/result")).status).toBe(200);
      laterBy(DAY_MS);
      expect(await jobs.run(next, 1, perform)).toBe("done");
      expect(await platform.jobs?.store.list(`.jobs/${key}/`)).toEqual([]);
    });

    test("a job that has not run has expired, though its message never came", async () => {
      const { put, ask, jobs, messageOf } = await start();
      await put("late", { model: "iris", inputs: SETOSA });
      laterBy(DAY_MS);
      expect(await (await ask("/v1/jobs/late")).json()).toMatchObject({ status: "expired" });
      expect(await jobs.run(await messageOf("late"), 1, neverPerform)).toEqual({
        retryAfterSeconds: DAY_MS / 1000,
        hasEnded: true,
      });
    });

    test("no message brings it back where the store removes it", async () => {
      const { put, ask, platform, perform, messageOf } = await start();
      if (!platform.jobs) return expect.unreachable();
      const { consume: _, ...places } = platform.jobs;
      const { jobs } = createService({ ...platform, jobs: { ...places, storeExpires: true } });
      for (const id of ["run", "late"]) await put(id, { model: "iris", inputs: SETOSA });
      const run = async (id: string) => jobs?.run(await messageOf(id), 1, perform);
      expect(await run("run")).toBe("done");
      laterBy(DAY_MS);
      expect(await run("late")).toBe("done");
      expect(await (await ask("/v1/jobs/late")).json()).toMatchObject({ status: "expired" });
    });
  });

  test("a job that the queue does not take is not half made", async () => {
    const { platform } = await start();
    if (!platform.jobs) return expect.unreachable();
    const { store } = platform.jobs;
    let isDown = true;
    const sent: string[] = [];
    const queue: Queue = {
      async send(key, write) {
        await write();
        if (isDown) throw new Error("the queue is down");
        sent.push(key);
      },
    };
    const app = createApp(createService({ ...platform, jobs: { store, queue } }));
    const put = () =>
      app.request("/v1/jobs/down", {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: "iris", inputs: SETOSA }),
      });
    const refused = await put();
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await store.list(".jobs/")).toEqual([]);
    isDown = false;
    // A maker may end between writing and sending: the next one sends the key again.
    for (let time = 0; time < 2; time++) expect((await put()).status).toBe(202);
    expect(sent).toHaveLength(2);
    expect(new Set(sent).size).toBe(1);
  });

  test("events come in order, and from where a client left off", async () => {
    const { later, work, ask } = await start();
    const made = await later(PREDICT, { inputs: SETOSA });
    work();
    const events = `${locationOf(made)}/events`;
    const all = await ask(events);
    expect(all.headers.get("content-type")).toBe("text/event-stream");
    const lines = (await all.text()).split("\n\n").filter(Boolean);
    expect(lines.map((line) => /^id: (\d)\n.*\n.*"status":"(\w+)"/.exec(line)?.slice(1))).toEqual([
      ["1", "queued"],
      ["2", "running"],
      ["3", "succeeded"],
    ]);
    const rest = await ask(events, { headers: { "Last-Event-ID": "2" } });
    expect(await rest.text()).toBe(`${lines[2]}\n\n`);
  });

  test("nobody reads, waits for or ends another's job", async () => {
    const [own, other] = [apiKey("own"), apiKey("other")];
    const { later, ask, work, ended } = await start({ API_KEYS: keyList(own, other) });
    const headers = { ...bearer(own.key), "Idempotency-Key": "secret" };
    const made = await later(PREDICT, { inputs: SETOSA }, headers);
    work();
    await ended(locationOf(made), bearer(own.key));
    for (const [method, path] of JOB_ROUTES) {
      const whole = `${locationOf(made)}${path}`;
      expect((await ask(whole, { method, headers: bearer(other.key) })).status).toBe(404);
      expect((await ask(whole, { method })).status).toBe(401);
    }
    const same = await later(
      PREDICT,
      { inputs: [1, 2, 3, 4] },
      { ...headers, ...bearer(other.key) },
    );
    expect(same.status).toBe(202);
    expect((await ask(`${locationOf(made)}/result`, { headers: bearer(own.key) })).status).toBe(
      200,
    );
  });

  test("a job costs what the call costs, and waits where the rate is used up", async () => {
    const { later, post, ask, jobs, perform, messageOf } = await start({ RATE_LIMIT: "10/60s" });
    const rows = Array.from({ length: 8 }, () => SETOSA);
    const made = await later(PREDICT, { inputs: rows }, { "Idempotency-Key": "costly" });
    const message = await messageOf("costly");
    for (let request = 0; request < 9; request++) await post(PREDICT, { inputs: SETOSA });
    const outcome = await jobs.run(message, 1, perform);
    expect(outcome).toMatchObject({ retryAfterSeconds: expect.any(Number) as number });
    expect((outcome as { retryAfterSeconds: number }).retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(made.status).toBe(202);
    expect((await ask(locationOf(made))).status).toBe(429);
  });
});

test.runIf(hasSqlite)("an app that is mounted elsewhere runs its jobs by itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-jobs-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { STORE: models.path, ACCESS_LOG: "false", JOBS_FILE: join(folder, "jobs.sqlite") };
  const service = createService(createNodePlatform(env));
  onTestFinished(() => service.jobs?.end());
  const outer = new Hono().route("/ml", createApp(service));
  const made = await outer.request(`/ml${PREDICT}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "respond-async, wait=20" },
    body: JSON.stringify({ inputs: SETOSA }),
  });
  expect(made.status).toBe(200);
  expect(await made.json()).toMatchObject({ outputs: { label: "setosa" } });
});

test("without a queue the preference is not applied", async () => {
  const { jobs: _, ...platform } = createNodePlatform({ STORE: models.path, ACCESS_LOG: "false" });
  const answer = await createApp(createService(platform)).request(PREDICT, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "respond-async" },
    body: JSON.stringify({ inputs: SETOSA }),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.has("preference-applied")).toBe(false);
});
