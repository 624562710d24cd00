import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { createSecretsOf } from "../../functions/webhooks/secrets-of.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { startReceiver, secretOf, type Received } from "./receiver.ts";
import { startJobs, useModels } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const PREDICT = "/v1/models/iris/predict";
const TOKEN = "a-token-of-the-metrics";
const SECRET = secretOf("a");

const models = useModels();
afterEach(() => void vi.useRealTimers());

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, WEBHOOK_SECRET: SECRET, ...env });
  onTestFinished(() => started.end());
  const { jobs, perform, messageOf, ask } = started;
  return {
    ...started,
    /** Hands out the job's message once. */
    hand: async (id: string, caller = "anonymous") =>
      jobs.run(await messageOf(id, caller), 1, perform),
    shown: async (id: string) =>
      (await (await ask(`/v1/jobs/${id}`)).json()) as { webhook: Record<string, unknown> },
  };
}

const verified = (secret: string, { headers, body }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>);

/** Makes the clock of jobs stand still, and gives what moves it. */
function stopClock() {
  vi.useFakeTimers({ toFake: ["Date"] });
  return (seconds: number) => void vi.setSystemTime(Date.now() + seconds * 1000);
}

const seconds = (outcome: unknown) => (outcome as { retryAfterSeconds: number }).retryAfterSeconds;

describe.runIf(hasSqlite)("webhooks", () => {
  test("a job's end is told once, signed with each secret, however often its message comes", async () => {
    const receiver = await startReceiver();
    const { put, hand, shown, ask } = await start({
      WEBHOOK_HOSTS: receiver.host,
      WEBHOOK_SECRET: `${secretOf("b")}, ${SECRET}`,
      METRICS_TOKEN: TOKEN,
    });
    const made = await put("one", { model: "iris", inputs: SETOSA, webhook: receiver.url });
    expect(made.status).toBe(202);
    await Promise.all([hand("one"), hand("one")]);
    await hand("one");
    expect(receiver.received).toHaveLength(1);
    const [got] = receiver.received as [Received];
    for (const secret of [SECRET, secretOf("b")])
      expect(verified(secret, got)).toEqual({
        type: "job.succeeded",
        timestamp: expect.any(String) as string,
        data: {
          id: "one",
          status: "succeeded",
          model: "iris",
          version: "1",
          location: "/v1/jobs/one",
        },
      });
    expect(() => verified(secretOf("c"), got)).toThrow(/signature/);
    expect((await shown("one")).webhook).toEqual({
      url: receiver.url,
      events: ["succeeded", "failed", "canceled", "expired"],
      tries: 1,
      delivered_at: expect.any(String) as string,
    });
    const metrics = await (await ask("/metrics", { headers: bearer(TOKEN) })).text();
    expect(metrics).toContain(
      'nearcast_webhook_tries_total{model="iris",version="1",outcome="delivered"} 1\n',
    );
  });

  test("every dialect takes the header fields, and each end is told that was asked for", async () => {
    const receiver = await startReceiver();
    const { later, hand, ask } = await start({ WEBHOOK_HOSTS: receiver.host });
    const tensors = { inputs: [{ name: "no", shape: [1], datatype: "FP32", data: [1] }] };
    const fields = { "X-Nearcast-Webhook": receiver.url };
    const failing = { ...fields, "Idempotency-Key": "failing" };
    expect((await later("/v2/models/iris/infer", tensors, failing)).status).toBe(202);
    await hand("failing");
    const silent = {
      ...fields,
      "X-Nearcast-Webhook-Events": "failed, expired",
      "Idempotency-Key": "silent",
    };
    await later("/invocations", { inputs: [SETOSA] }, silent);
    await later(PREDICT, { inputs: SETOSA }, silent);
    await hand("silent");
    const cancelled = { ...fields, "Idempotency-Key": "cancelled" };
    await later(PREDICT, { inputs: SETOSA }, cancelled);
    await ask("/v1/jobs/cancelled/cancel", { method: "POST" });
    await hand("cancelled");
    const removed = { ...fields, "Idempotency-Key": "removed" };
    await later(PREDICT, { inputs: SETOSA }, removed);
    await ask("/v1/jobs/removed", { method: "DELETE" });
    expect(await hand("removed")).toBe("done");
    await later(PREDICT, { inputs: SETOSA }, { ...fields, "Idempotency-Key": "expired" });
    stopClock()(86_401);
    await hand("expired");
    const told = receiver.received.map(({ body }) => JSON.parse(body) as { type: string });
    expect(told.map(({ type }) => type)).toEqual(["job.failed", "job.canceled", "job.expired"]);
  });

  test("it is tried again, later each time, with one id, until the receiver takes it", async () => {
    const receiver = await startReceiver({ statuses: [500, 302, 429, 404] });
    const { put, hand, shown } = await start({ WEBHOOK_HOSTS: receiver.host });
    await put("later", { model: "iris", inputs: SETOSA, webhook: receiver.url });
    const pass = stopClock();
    for (const [least, most] of [
      [5, 6],
      [300, 360],
      [1800, 2160],
      [7200, 8640],
    ] as const) {
      const wait = seconds(await hand("later"));
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most + 1);
      const { length } = receiver.received;
      // A queue with a bound of its own hands it out too early.
      pass(wait - 2);
      expect(seconds(await hand("later"))).toBeLessThanOrEqual(2);
      expect(receiver.received).toHaveLength(length);
      pass(2);
    }
    expect((await shown("later")).webhook).toMatchObject({ tries: 4, error: "it answered 404" });
    await Promise.all(Array.from({ length: 5 }, () => hand("later")));
    expect(receiver.received).toHaveLength(5);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    for (const got of receiver.received.slice(-1)) verified(SECRET, got);
    const { webhook } = await shown("later");
    expect(webhook).toMatchObject({ tries: 5, delivered_at: expect.any(String) as string });
    expect(webhook).not.toHaveProperty("error");
  });

  test("it is given up after a bound, and at once where the receiver wants no more", async () => {
    const receiver = await startReceiver({ statuses: [410, ...Array<number>(9).fill(503)] });
    const { put, hand, shown, logged } = await start({ WEBHOOK_HOSTS: receiver.host });
    const pass = stopClock();
    for (const [id, tries, error] of [
      ["gone", 1, "it answered 410"],
      ["down", 7, "it answered 503"],
    ] as const) {
      await put(id, { model: "iris", inputs: SETOSA, webhook: receiver.url });
      for (let message = 0; message < tries; message++) {
        const outcome = await hand(id);
        if (message < tries - 1) pass(seconds(outcome));
      }
      expect((await shown(id)).webhook).toMatchObject({
        tries,
        error,
        given_up_at: expect.any(String) as string,
      });
    }
    await hand("down");
    expect(receiver.received).toHaveLength(8);
    expect(logged.map(({ message }) => message)).toEqual([
      "webhook: given up",
      ...Array<string>(6).fill("webhook: not delivered, tried again later"),
      "webhook: given up",
    ]);
    expect(JSON.stringify(logged)).not.toContain("of=mine");
  });

  test("Retry-After is honoured, within a bound", async () => {
    const waits = [];
    for (const after of [
      "900",
      "999999999",
      new Date(Date.now() + 600_000).toUTCString(),
      "soon",
    ]) {
      const receiver = await startReceiver({ statuses: [503], headers: { "Retry-After": after } });
      const { put, hand } = await start({ WEBHOOK_HOSTS: receiver.host });
      await put("busy", { model: "iris", inputs: SETOSA, webhook: receiver.url });
      waits.push(seconds(await hand("busy")));
    }
    const bounds = [900, 36_000, 598, 5];
    for (const [index, least] of bounds.entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(least);
      expect(waits[index]).toBeLessThanOrEqual(least * 1.21 + 3);
    }
  });

  test("a webhook that may not be told is refused when the job is made, with what is wrong", async () => {
    const { put, later, post, ask } = await start({
      WEBHOOK_HOSTS: "hooks.example.com, *.example.org:8443, localhost:9000",
    });
    const refusals = {
      "http://hooks.example.com/": "must be an https URL",
      "ftp://hooks.example.com/": "must be an https URL",
      "hooks.example.com": "must be a URL",
      "https://hooks.example.com:22/": "must be of a host that",
      "https://example.org:8443/": "must be of a host that",
      "https://a.example.org/": "must be of a host that",
      "https://hooks.example.com.evil.test/": "must be of a host that",
      "https://hooks.example.com@evil.test/": "must have no user",
      "https://user:word@hooks.example.com/": "must have no user",
      "http://127.0.0.1:9000/": "must be of a host that",
      "http://localhost:9001/": "must be of a host that",
      "http://169.254.169.254/": "must be an https URL",
      [`https://hooks.example.com/${"x".repeat(2048)}`]: "must have at most 2048 characters",
    };
    for (const [webhook, message] of Object.entries(refusals)) {
      const answer = await put("refused", { model: "iris", inputs: SETOSA, webhook });
      expect([webhook, answer.status]).toEqual([webhook, 422]);
      const { errors } = (await answer.json()) as { errors: { path: string; message: string }[] };
      expect(errors[0]?.path).toBe("webhook");
      expect(errors[0]?.message).toContain(message);
    }
    expect((await ask("/v1/jobs/refused")).status).toBe(404);
    const body = { model: "iris", inputs: SETOSA };
    const good = { webhook: "http://localhost:9000/" };
    for (const [own, path] of [
      [{ webhook: 5 }, "webhook"],
      [{ ...good, webhook_events_filter: ["start"] }, "webhook_events_filter"],
      [{ ...good, webhook_events_filter: [] }, "webhook_events_filter"],
      [{ webhook_events_filter: ["completed"] }, "webhook"],
    ] as const) {
      const answer = await put("refused", { ...body, ...own });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ errors: [{ path }] });
    }
    const fields = { "X-Nearcast-Webhook": "https://evil.test/" };
    expect((await later(PREDICT, { inputs: SETOSA }, fields)).status).toBe(422);
    const now = await post(PREDICT, { inputs: SETOSA }, fields);
    expect(now.status).toBe(422);
    expect(((await now.json()) as { detail: string }).detail).toContain("needs Prefer");
    const filter = { ...good, webhook_events_filter: ["completed"] };
    expect((await put("good", { ...body, ...filter })).status).toBe(202);
    expect((await put("good", { ...body, ...filter })).status).toBe(202);
    expect((await put("good", body)).status).toBe(422);
  });

  test("callers have secrets of their own, and one without a secret has no webhooks", async () => {
    const receiver = await startReceiver();
    const [own, other] = [apiKey("own"), apiKey("other")];
    const { put, hand } = await start({
      API_KEYS: keyList(own, other),
      WEBHOOK_HOSTS: receiver.host,
      WEBHOOK_SECRET: JSON.stringify({ own: SECRET }),
    });
    const body = { model: "iris", inputs: SETOSA, webhook: receiver.url };
    expect((await put("mine", body, bearer(other.key))).status).toBe(422);
    expect((await put("mine", body, bearer(own.key))).status).toBe(202);
    await hand("mine", "own");
    verified(SECRET, receiver.received[0] as Received);
  });
});

test("a secret of the platform is read when it is needed, and again where that failed", async () => {
  const { config } = createNodePlatform({ STORE: models.path, WEBHOOK_SECRET: "ssm:/webhooks" });
  const answers = [new Error("out of reach"), SECRET, secretOf("b")];
  const read: string[] = [];
  const secretsOf = createSecretsOf({
    config,
    waitUntil: () => undefined,
    async readSecret(name) {
      read.push(name);
      const answer = answers.shift();
      if (typeof answer === "string") return answer;
      throw answer;
    },
  });
  await expect(secretsOf("web")).rejects.toMatchObject({ code: "store_unavailable" });
  expect(await secretsOf("web")).toEqual([SECRET]);
  expect(await secretsOf("other")).toEqual([SECRET]);
  expect(read).toEqual(["/webhooks", "/webhooks"]);
});

test("where there are no webhooks, a call that asks for one is refused and not answered", async () => {
  const { jobs: _, ...platform } = createNodePlatform({ STORE: models.path, ACCESS_LOG: "false" });
  const answer = await createApp(createService(platform)).request(PREDICT, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Prefer: "respond-async",
      "X-Nearcast-Webhook": "https://hooks.example.com/",
    },
    body: JSON.stringify({ inputs: SETOSA }),
  });
  expect(answer.status).toBe(422);
  if (!hasSqlite) return;
  const { put } = await start();
  const off = await put("off", { model: "iris", inputs: SETOSA, webhook: "https://example.com" });
  expect(off.status).toBe(422);
  expect(((await off.json()) as { detail: string }).detail).toContain("allows no webhooks");
});
