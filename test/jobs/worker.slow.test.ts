import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { targets, type Target } from "../harness/targets.ts";
import { JOB_ROUTES } from "./routes.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const PREDICT = "/v1/models/iris/predict";
const TOKEN = "a-token-of-the-metrics";
const [own, other] = [apiKey("own"), apiKey("other")];

let worker: Target;
beforeAll(async () => {
  worker = await targets.worker({
    queues: true,
    env: {
      AUTH: "",
      API_KEYS: keyList(own, other),
      METRICS_TOKEN: TOKEN,
      DEFAULT_MODEL: "iris",
      STORE_TIMEOUT_MS: "5000",
    },
  });
});
afterAll(() => worker.stop());

interface Init {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}
const ask = (path: string, init: Init = {}, { key } = own) =>
  worker.fetch(path, { ...init, headers: { ...bearer(key), ...init.headers } });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
const later = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  post(path, body, { Prefer: "respond-async", ...headers });
const locationOf = (answer: Response) => answer.headers.get("location") ?? "";

interface Shown {
  status: string;
}
async function statusOf(location: string): Promise<string> {
  return ((await (await ask(location)).json()) as Shown).status;
}
const ended = (location: string) =>
  expect.poll(() => statusOf(location), { timeout: 60_000, interval: 200 });

test.for([
  ["native", PREDICT, { inputs: [SETOSA, SETOSA] }],
  ["native, wrong inputs", PREDICT, { inputs: [1, 2, 3] }],
  ["TensorFlow Serving", "/v1/models/iris:predict", { instances: [SETOSA] }],
  ["OpenAI", "/v1/embeddings", { model: "search", input: ["a text", "another"] }],
] as const)("the answer is byte for byte that of the call: %s", async ([, path, body]) => {
  const headers = { "X-Request-Id": "one-request" };
  const now = await post(path, body, headers);
  const made = await later(path, body, headers);
  expect(made.status).toBe(202);
  expect(made.headers.get("preference-applied")).toBe("respond-async");
  await ended(locationOf(made)).toBe(now.status < 400 ? "succeeded" : "failed");
  const result = await ask(`${locationOf(made)}/result`);
  expect(result.status).toBe(now.status);
  for (const name of ["content-type", "x-model-version", "x-model-digest", "x-request-id"])
    expect(result.headers.get(name)).toBe(now.headers.get(name));
  expect(await result.bytes()).toEqual(await now.bytes());
});

test("a client may wait for the answer", async () => {
  const waited = await later(PREDICT, { inputs: SETOSA }, { Prefer: "respond-async, wait=20" });
  expect(waited.status).toBe(200);
  expect(waited.headers.get("preference-applied")).toBe("respond-async, wait=20");
  expect(await waited.json()).toMatchObject({ outputs: { label: "setosa" } });
});

test("events come while the job runs elsewhere, and from where a client left off", async () => {
  const made = await later(PREDICT, { inputs: SETOSA });
  const events = `${locationOf(made)}/events`;
  const all = await (await ask(events)).text();
  expect([...all.matchAll(/"status":"(\w+)"/g)].map(([, status]) => status)).toEqual([
    "queued",
    "running",
    "succeeded",
  ]);
  const rest = await (await ask(events, { headers: { "Last-Event-ID": "2" } })).text();
  expect(all.endsWith(rest)).toBe(true);
  expect(rest).toMatch(/^id: 3\n/);
});

test("a cancelled job has no answer, and a removed one leaves nothing", async () => {
  const headers = { "Idempotency-Key": "cancelled" };
  const location = locationOf(await later(PREDICT, { inputs: SETOSA }, headers));
  await ask(`${location}/cancel`, { method: "POST" });
  await sleep(3000);
  expect(await statusOf(location)).toBe("canceled");
  expect((await ask(`${location}/result`)).status).toBe(409);
  const before = await worker.store.texts(".jobs/");
  await ask(location, { method: "DELETE" });
  expect((await ask(location)).status).toBe(404);
  expect((await worker.store.texts(".jobs/")).size).toBe(before.size - 1);
});

test("nobody reads, waits for or ends another's job", async () => {
  const made = await later(PREDICT, { inputs: SETOSA });
  for (const [method, path] of JOB_ROUTES) {
    const whole = `${locationOf(made)}${path}`;
    expect((await ask(whole, { method }, other)).status).toBe(404);
    expect((await worker.fetch(whole, { method })).status).toBe(401);
  }
  await ended(locationOf(made)).toBe("succeeded");
});

test("a job that the bucket does not take is refused, and can be made later", async () => {
  const headers = { "Idempotency-Key": "unwritten" };
  const objects = async () => (await worker.store.texts(".jobs/")).size;
  const before = await objects();
  worker.store.behave("down", /\/job\.json$/);
  const refused = await later(PREDICT, { inputs: SETOSA }, headers);
  expect(refused.status).toBe(503);
  expect(refused.headers.has("retry-after")).toBe(true);
  worker.store.behave("ok");
  const made = await later(PREDICT, { inputs: SETOSA }, headers);
  expect(made.status).toBe(202);
  await ended(locationOf(made)).toBe("succeeded");
  // Its record and its answer: nothing is left of the first one.
  await expect.poll(objects).toBe(before + 2);
});

test("a job waits while the bucket fails as its answer is written", async () => {
  worker.store.behave("down", /\/answer-/);
  const made = await later(PREDICT, { inputs: SETOSA });
  await expect.poll(() => statusOf(locationOf(made)), { timeout: 30_000 }).toBe("running");
  await expect.poll(() => worker.logs()).toContain("a job waits for its store");
  worker.store.behave("ok");
  await ended(locationOf(made)).toBe("succeeded");
});

test("50 jobs at once are all answered, and requests between them", async () => {
  const all = await Promise.all(
    Array.from({ length: 50 }, () => later(PREDICT, { inputs: SETOSA })),
  );
  expect((await post(PREDICT, { inputs: SETOSA })).status).toBe(200);
  for (const made of all) await ended(locationOf(made)).toBe("succeeded");
});

test("a job waits where the rate is used up, and that is no try", async () => {
  const limited = await targets.worker({
    queues: true,
    env: { RATE_LIMIT: "10/10s" },
    rateLimits: { RATE_LIMIT_10_10: { limit: 10, period: 10 } },
  });
  onTestFinished(() => limited.stop());
  const made = await limited.fetch(PREDICT, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "respond-async" },
    body: JSON.stringify({ inputs: Array.from({ length: 10 }, () => SETOSA) }),
  });
  expect(made.status).toBe(202);
  // Its first unit and these: what is left does not suffice for ten rows.
  for (let request = 0; request < 3; request++)
    await limited.fetch(PREDICT, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: SETOSA }),
    });
  let events = "";
  const read = async () => {
    const answer = await limited.fetch(`${locationOf(made)}/events`);
    if (answer.ok) events = await answer.text();
    return events;
  };
  await expect.poll(read, { timeout: 60_000, interval: 3000 }).toContain('"succeeded"');
  const statuses = [...events.matchAll(/"status":"(\w+)"/g)].map(([, status]) => status);
  expect(statuses.slice(0, 3)).toEqual(["queued", "running", "queued"]);
});

test("clients that wait for their jobs make room for others", async () => {
  const small = await targets.worker({ queues: true, env: { MAX_CONCURRENCY: "2" } });
  onTestFinished(() => small.stop());
  const ask = (headers: Record<string, string> = {}) =>
    small.fetch(PREDICT, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ inputs: SETOSA }),
    });
  expect((await ask()).status).toBe(200);
  const waiting = [1, 2].map(() => ask({ Prefer: "respond-async, wait=20" }));
  await sleep(300);
  expect((await ask()).status).toBe(200);
  const statuses = await Promise.all(waiting.map(async (answer) => (await answer).status));
  expect(statuses).toContain(202);
});

test("jobs are in the log and the metrics", async () => {
  const made = await later(PREDICT, { inputs: SETOSA }, { "X-Request-Id": "in-the-log" });
  await ended(locationOf(made)).toBe("succeeded");
  const lines = worker
    .logs()
    .split("\n")
    .filter((line) => line.includes('"in-the-log"'));
  const statuses = lines.map((line) => (JSON.parse(line) as { status: number }).status);
  expect(new Set(statuses)).toEqual(new Set([200, 202]));
  expect(statuses).toHaveLength(2);
  await expect
    .poll(async () => (await worker.fetch("/metrics", { headers: bearer(TOKEN) })).text(), {
      timeout: 20_000,
    })
    .toMatch(/nearcast_jobs_total\{model="iris",version="1",status="succeeded"\} [1-9]/);
});
