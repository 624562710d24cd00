import type { RequestListener } from "node:http";
import { Hono } from "hono";
import { expect, onTestFinished, test, vi } from "vitest";
import { startFilledS3 } from "../../cli/local/filled-s3.ts";
import { createApp } from "../../functions/app.ts";
import { createLambdaPlatform } from "../../functions/platform/lambda.ts";
import type { SqsEvent } from "../../functions/platform/queue/sqs.ts";
import { createService } from "../../functions/service.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { KEYS } from "../harness/dynamodb.ts";
import { eventOf } from "../../cli/local/event-source.ts";
import { startSqs } from "../../cli/local/sqs-server.ts";
import { startReceiver } from "./receiver.ts";
import { JOB_ROUTES } from "./routes.ts";
import { locationOf, startJobsOnLambda } from "./started-lambda.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const PREDICT = "/v1/models/iris/predict";
const LIMIT_MS = 400_000;
const KILLS = 30;

const REQUESTS: Record<string, [string, unknown, Record<string, string>?]> = {
  native: [PREDICT, { inputs: [SETOSA, SETOSA] }],
  "native, wrong inputs": [PREDICT, { inputs: [1, 2, 3] }],
  "Open Inference Protocol": [
    "/v2/models/iris/infer",
    { inputs: [{ name: "input", shape: [1, 4], datatype: "FP32", data: SETOSA }] },
  ],
  "MLflow, CSV": [
    "/invocations",
    "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n",
    { "Content-Type": "text/csv" },
  ],
};

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString("hex");

const triesOf = ({ Records }: SqsEvent) => Records[0]?.attributes.ApproximateReceiveCount ?? "";

const isDead = ({ Records }: SqsEvent) => Records[0]?.eventSourceARN.endsWith(":dead-jobs");

const message = (MessageId: string, Body: string) => ({
  MessageId,
  Body,
  ReceiptHandle: MessageId,
  Attributes: { ApproximateReceiveCount: "1" },
});

const respondSlowly: RequestListener = (_request, response) =>
  void setTimeout(() => response.writeHead(204).end(), 1000);

/** The statuses of a job's events. */
async function statuses(events: Response): Promise<string[]> {
  return [...(await events.text()).matchAll(/"status":"(\w+)"/g)].map(([, status = ""]) => status);
}

test("a job's answer is byte for byte that of the call, waited for or not", async () => {
  const { post, later, ended, ask, work, stored, target } = await startJobsOnLambda({
    env: { DEFAULT_MODEL: "iris" },
  });
  work();
  for (const [name, [path, body, own = {}]] of Object.entries(REQUESTS)) {
    const headers = { ...own, "X-Request-Id": "one-request" };
    const now = await post(path, body, headers);
    const made = await later(path, body, headers);
    expect([name, made.status]).toEqual([name, 202]);
    expect(made.headers.get("preference-applied")).toBe("respond-async");
    const job = await ended(locationOf(made));
    expect([name, job.status]).toEqual([name, now.status < 400 ? "succeeded" : "failed"]);
    const result = await ask(`${locationOf(made)}/result`);
    const waited = await later(path, body, { ...headers, Prefer: "respond-async, wait=20" });
    const expected = await bytesOf(now);
    for (const answer of [result, waited]) {
      expect([name, answer.status]).toEqual([name, now.status]);
      for (const field of ["content-type", "x-model-version", "x-model-digest", "x-request-id"])
        expect(answer.headers.get(field)).toBe(now.headers.get(field));
      expect([name, await bytesOf(answer)]).toEqual([name, expected]);
    }
    expect((await ask(locationOf(made), { method: "DELETE" })).status).toBe(200);
  }
  // Of each, the job that was waited for, with its answer. Its request is removed.
  expect((await stored()).filter((key) => key.includes("/input-"))).toEqual([]);
  expect(await stored()).toHaveLength(2 * Object.keys(REQUESTS).length);
  for (const status of ["queued", "succeeded", "failed"])
    expect(target.logs()).toMatch(
      new RegExp(`"version":"1","status":"${status}","nearcast_jobs_total":1`),
    );
});

test("events come with the first change, and from where a client left off", async () => {
  const { later, ended, ask, work } = await startJobsOnLambda({
    env: { REQUEST_TIMEOUT_MS: "4000" },
  });
  const made = await later(PREDICT, { inputs: SETOSA });
  const events = `${locationOf(made)}/events`;
  const first = await ask(events);
  expect(first.headers.get("content-type")).toBe("text/event-stream");
  expect(await first.text()).toMatch(/^retry: \d+\nid: 1\nevent: status\n.*"queued".*\n\n$/);
  // Nothing changes: the answer comes before the function's time is over, and so does that of a client that waits.
  const idle = await ask(events, { headers: { "Last-Event-ID": "1" } });
  expect([idle.status, await idle.text()]).toEqual([200, ""]);
  const patient = { Prefer: "respond-async, wait=60", "Idempotency-Key": "patient" };
  expect((await later(PREDICT, { inputs: SETOSA }, patient)).status).toBe(202);
  work();
  await ended(locationOf(made));
  const rest = await ask(events, { headers: { "Last-Event-ID": "1" } });
  expect(await statuses(rest)).toEqual(["running", "succeeded"]);
});

test("of several jobs in one event, those come again that could not be done", async () => {
  const { later, ended, ask, invoke, sqs, target } = await startJobsOnLambda();
  const made = [await later(PREDICT, { inputs: SETOSA }), await later(PREDICT, { inputs: SETOSA })];
  const [first = "", second = ""] = sqs.queues.bodies("jobs");
  const event = eventOf(sqs.url("jobs"), [
    message("failing", second),
    message("removed", "f".repeat(64)),
    message("one", first),
  ]);
  // Its answer cannot be written, and no new message can be sent.
  target.store.behave("down", new RegExp(`${second.split(".")[0]}/answer-`));
  sqs.behaviour = "down";
  expect(await invoke(event)).toEqual({ batchItemFailures: [{ itemIdentifier: "failing" }] });
  const [one, failing] = made.map(locationOf) as [string, string];
  expect(await ended(one)).toMatchObject({ status: "succeeded" });
  expect(await (await ask(failing)).json()).toMatchObject({ status: "running" });
  target.store.behave("ok");
  sqs.behaviour = "ok";
  // The same event again, as SQS may deliver it.
  for (let delivered = 0; delivered < 2; delivered++)
    expect(await invoke(event)).toEqual({ batchItemFailures: [] });
  for (const location of [one, failing]) {
    expect(await ended(location)).toMatchObject({ status: "succeeded" });
    const all = await statuses(await ask(`${location}/events`));
    expect(all).toEqual(["queued", "running", "succeeded"]);
  }
});

test(
  "a function that is killed while it runs jobs loses none, and answers each once",
  async () => {
    // Longer than a run.
    const started = await startJobsOnLambda({ visibilitySeconds: 5 });
    const { later, ended, ask, work, jobs, target } = started;
    target.store.behave("slow", /\/job\.json$/);
    let kills = 0;
    work((event) => {
      const { pid } = jobs();
      if (pid === undefined || Number(triesOf(event)) > 3 || kills >= KILLS) return;
      kills++;
      // A kill falls into reading, running or writing.
      setTimeout(() => jobs().pid === pid && process.kill(pid, "SIGKILL"), (kills * 370) % 2900);
    });
    const all = [];
    for (let index = 0; index < 15; index++) all.push(await later(PREDICT, { inputs: SETOSA }));
    for (const made of all) {
      expect(made.status).toBe(202);
      expect(await ended(locationOf(made))).toMatchObject({ status: "succeeded" });
      const events = await statuses(await ask(`${locationOf(made)}/events`));
      expect(events.filter((status) => status === "succeeded")).toHaveLength(1);
    }
    expect(jobs().coldStarts).toBeGreaterThan(KILLS / 2);
  },
  LIMIT_MS,
);

test(
  "a job that ends its process each time goes to the dead-letter queue, and has failed",
  async () => {
    const { later, ended, ask, work, jobs, sqs } = await startJobsOnLambda();
    const seen: string[] = [];
    work((event) => {
      seen.push(isDead(event) ? "dead" : triesOf(event));
      const { pid } = jobs();
      if (pid && !isDead(event)) process.kill(pid, "SIGKILL");
    });
    const made = await later(PREDICT, { inputs: SETOSA });
    expect(await ended(locationOf(made))).toMatchObject({ status: "failed" });
    const result = await ask(`${locationOf(made)}/result`);
    expect(result.status).toBe(500);
    expect(await result.json()).toMatchObject({
      code: "internal",
      detail: expect.stringMatching(/given up/) as string,
    });
    expect(seen).toEqual(["1", "2", "3", "4", "5", "dead"]);
    await expect.poll(() => sqs.queues.bodies("dead-jobs")).toEqual([]);
    expect(sqs.queues.bodies("jobs")).toEqual([]);
  },
  LIMIT_MS,
);

test("nobody reads, waits for or ends another's job", async () => {
  const [own, other] = [apiKey("own"), apiKey("other")];
  const { later, ask, work, ended } = await startJobsOnLambda({
    env: { AUTH: "", API_KEYS: keyList(own, other) },
  });
  work();
  const headers = { ...bearer(own.key), "Idempotency-Key": "secret" };
  const made = await later(PREDICT, { inputs: SETOSA }, headers);
  expect(await ended(locationOf(made), bearer(own.key))).toMatchObject({ status: "succeeded" });
  for (const [method, path] of JOB_ROUTES) {
    const whole = `${locationOf(made)}${path}`;
    expect((await ask(whole, { method, headers: bearer(other.key) })).status).toBe(404);
    expect((await ask(whole, { method })).status).toBe(401);
  }
});

test("with S3 out of reach while the answer is written, the job waits, and has one answer", async () => {
  const { later, ended, ask, work, stored, target } = await startJobsOnLambda();
  target.store.behave("down", /\/answer-/);
  work();
  const made = await later(PREDICT, { inputs: SETOSA });
  await expect.poll(() => target.logs()).toContain("a job waits for its store");
  expect(await (await ask(locationOf(made))).json()).toMatchObject({ status: "running" });
  target.store.behave("ok");
  expect(await ended(locationOf(made))).toMatchObject({ status: "succeeded" });
  const events = await statuses(await ask(`${locationOf(made)}/events`));
  expect(events.at(-1)).toBe("succeeded");
  await expect
    .poll(async () => (await stored()).map((key) => key.replace(/^.*\/(\w+).*$/, "$1")))
    .toEqual(["answer", "job"]);
});

test("a webhook that takes its time is told before the function stands still", async () => {
  const { host, url, received } = await startReceiver({ respond: respondSlowly });
  const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
  const { later, ended, ask, work, sqs } = await startJobsOnLambda({
    env: { WEBHOOK_HOSTS: host, WEBHOOK_SECRET },
    visibilitySeconds: 10,
  });
  work();
  const made = await later(PREDICT, { inputs: SETOSA }, { "X-Nearcast-Webhook": url });
  await ended(locationOf(made));
  await expect
    .poll(async () => (await ask(locationOf(made))).json())
    .toMatchObject({
      status: "succeeded",
      webhook: { tries: 1, delivered_at: expect.any(String) as string },
    });
  await expect.poll(() => sqs.queues.bodies("jobs")).toEqual([]);
  expect(received).toHaveLength(1);
  // One for the making: there was no second look.
  expect(sqs.actions.filter((action) => action === "SendMessage")).toHaveLength(1);
});

test.each(["down", "stall", "error", "full"] as const)(
  "with SQS out of reach (%s) no job is made, and nothing of one is stored",
  async (behaviour) => {
    const { later, ended, work, stored, sqs, post } = await startJobsOnLambda();
    work();
    sqs.behaviour = behaviour;
    const headers = { "Idempotency-Key": "order-1" };
    const refused = await later(PREDICT, { inputs: SETOSA }, headers);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: "overloaded" });
    expect(await stored()).toEqual([]);
    // Calls do not need it.
    expect((await post(PREDICT, { inputs: SETOSA })).status).toBe(200);
    sqs.behaviour = "ok";
    const made = await later(PREDICT, { inputs: SETOSA }, headers);
    expect(made.status).toBe(202);
    expect(await ended(locationOf(made))).toMatchObject({ status: "succeeded" });
  },
);

test("a handler of one's own, with the app below a path, runs its jobs", async () => {
  const sqs = await startSqs();
  const { environment, close } = await startFilledS3("models");
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await close();
    await sqs.close();
  });
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
  const env = { ...environment, ...sqs.env, AUTH: "none", ACCESS_LOG: "false" };
  const platform = createLambdaPlatform({ ...env, EMBEDDED_METRICS: "false" });
  const event = () =>
    eventOf(sqs.url("jobs"), [message("one", sqs.queues.bodies("jobs")[0] ?? "")]);
  const service = createService(platform);
  await expect(platform.runJobs(event())).rejects.toThrow("No app of this function runs jobs.");
  const outer = new Hono().route("/ml", createApp(service));
  const made = await outer.request(`/ml${PREDICT}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "respond-async" },
    body: JSON.stringify({ inputs: SETOSA }),
  });
  expect(locationOf(made)).toMatch(/^\/ml\/v1\/jobs\//);
  expect(await platform.runJobs(event())).toEqual({ batchItemFailures: [] });
  const result = await outer.request(`${locationOf(made)}/result`);
  expect(await result.json()).toMatchObject({ outputs: { label: "setosa" } });
});

test("without a queue the call is answered at once, and an event of one fails", async () => {
  const { later, invoke, sqs } = await startJobsOnLambda({ env: { JOBS_QUEUE_URL: "" } });
  const answer = await later(PREDICT, { inputs: SETOSA });
  expect(answer.status).toBe(200);
  expect(answer.headers.has("preference-applied")).toBe(false);
  const event = eventOf(sqs.url("jobs"), [{ MessageId: "one", Body: "a" }]);
  await expect(invoke(event)).rejects.toThrow(/JOBS_QUEUE_URL is not set/);
});
