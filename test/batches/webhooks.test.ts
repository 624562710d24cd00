import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { clientOf, upload } from "../files/client.ts";
import { startReceiver, secretOf, type Received } from "../jobs/receiver.ts";
import { startJobs, useModels } from "../jobs/started.ts";
import { HEADER, OBJECT_TYPE } from "./flowers.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const SETOSA = "5.1,3.5,1.4,0.2\n";
const SECRET = secretOf("a");

const models = useModels();
afterEach(() => void vi.useRealTimers());

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, WEBHOOK_SECRET: SECRET, ...env });
  onTestFinished(() => started.end());
  const { jobs, perform, ask, batchName } = started;
  const run = async (id: string, what: string | number) =>
    jobs.run(`${await batchName(id)}.${what}`, 1, perform);
  return {
    ...started,
    run,
    put: (id: string, body: string, fields: Record<string, string>) =>
      ask(`/v1/batches/${id}?model=iris`, {
        method: "PUT",
        headers: { "Content-Type": "text/csv", ...fields },
        body,
      }),
    shown: async (id: string) =>
      (await (await ask(`/v1/batches/${id}`)).json()) as { webhook: Record<string, unknown> },
    /** All messages of a batch with one row but the last one, which joins. */
    begin: async (id: string) => {
      await run(id, "cut");
      await run(id, 0);
    },
  };
}

const asking = (url: string, events?: string) => ({
  "X-Nearcast-Webhook": url,
  ...(events !== undefined && { "X-Nearcast-Webhook-Events": events }),
});

const verified = ({ headers, body }: Received) =>
  new Webhook(SECRET).verify(body, headers as Record<string, string>);

const typesOf = (received: readonly Received[]) =>
  received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

const idsOf = (received: readonly Received[]) =>
  new Set(received.map(({ headers }) => headers["webhook-id"]));

/** Makes the clock of jobs stand still, and gives what moves it. */
function stopClock() {
  vi.useFakeTimers({ toFake: ["Date"] });
  return (seconds: number) => void vi.setSystemTime(Date.now() + seconds * 1000);
}

const seconds = (outcome: unknown) => (outcome as { retryAfterSeconds: number }).retryAfterSeconds;

describe.runIf(hasSqlite)("webhooks of batches", () => {
  test("the end is told once, signed, however often its messages come", async () => {
    const receiver = await startReceiver();
    const { put, begin, run, shown } = await start({ WEBHOOK_HOSTS: receiver.host });
    expect((await put("one", HEADER + SETOSA, asking(receiver.url))).status).toBe(202);
    await begin("one");
    expect(receiver.received).toEqual([]);
    expect(await run("one", "join")).toBe("done");
    await Promise.all(["join", "tell", 0, "cut", "keep"].map((what) => run("one", what)));
    expect(receiver.received).toHaveLength(1);
    expect(verified(receiver.received[0] as Received)).toEqual({
      type: "batch.succeeded",
      timestamp: expect.any(String) as string,
      data: {
        id: "one",
        status: "succeeded",
        model: "iris",
        version: "1",
        location: "/v1/batches/one",
      },
    });
    expect((await shown("one")).webhook).toEqual({
      url: receiver.url,
      events: ["succeeded", "failed", "canceled", "expired"],
      tries: 1,
      delivered_at: expect.any(String) as string,
    });
    // It is a part of what the batch is asked for.
    expect((await put("one", HEADER + SETOSA, asking(receiver.url))).status).toBe(202);
    expect((await put("one", HEADER + SETOSA, {})).status).toBe(422);
  });

  test("each end is told that was asked for, and a removed batch tells nobody", async () => {
    const receiver = await startReceiver();
    const { put, begin, run, ask, work } = await start({ WEBHOOK_HOSTS: receiver.host });
    await mkdir(join(models.path, ".batches/anonymous"), { recursive: true });
    await writeFile(join(models.path, ".batches/anonymous/none.csv"), HEADER);
    const failed = await ask("/v1/batches/failed", {
      method: "PUT",
      headers: OBJECT_TYPE,
      body: JSON.stringify({
        model: "iris",
        input: { object: "none.csv" },
        webhook: receiver.url,
        webhook_events_filter: ["failed"],
      }),
    });
    expect(failed.status).toBe(202);
    await run("failed", "cut");
    await put("silent", HEADER + SETOSA, asking(receiver.url, "failed, expired"));
    await begin("silent");
    expect(await run("silent", "join")).toBe("done");
    await put("removed", HEADER + SETOSA, asking(receiver.url));
    await ask("/v1/batches/removed", { method: "DELETE" });
    await put("succeeded", HEADER + SETOSA, asking(receiver.url));
    await put("canceled", HEADER + SETOSA, asking(receiver.url, "canceled"));
    await ask("/v1/batches/canceled/cancel", { method: "POST" });
    // The messages that were sent are enough.
    work();
    await vi.waitFor(
      () =>
        expect(new Set(typesOf(receiver.received))).toEqual(
          new Set(["batch.failed", "batch.canceled", "batch.succeeded"]),
        ),
      30_000,
    );
    expect(receiver.received).toHaveLength(3);
  });

  test("one that has not run in its time tells it when it is looked at, or by its message", async () => {
    const receiver = await startReceiver();
    const { put, run, ask } = await start({ WEBHOOK_HOSTS: receiver.host });
    for (const id of ["seen", "unseen"]) await put(id, HEADER + SETOSA, asking(receiver.url));
    stopClock()(86_401);
    expect(await (await ask("/v1/batches/seen")).json()).toMatchObject({ status: "expired" });
    await run("seen", "tell");
    expect(seconds(await run("unseen", "keep"))).toBe(1);
    await run("unseen", "keep");
    expect(typesOf(receiver.received)).toEqual(["batch.expired", "batch.expired"]);
    expect(idsOf(receiver.received).size).toBe(2);
  });

  test("it is tried again, with one id, also where the process ends in between", async () => {
    const receiver = await startReceiver({ statuses: [500] });
    const { put, begin, run, shown, platform } = await start({ WEBHOOK_HOSTS: receiver.host });
    await put("again", HEADER + SETOSA, asking(receiver.url));
    await begin("again");
    const pass = stopClock();
    const { store } = platform.jobs ?? {};
    if (!store) return expect.unreachable();
    const { put: write } = store;
    let ends: "before the try" | "after the try" | "no more" = "before the try";
    store.put = async (key, ...rest) => {
      const isTry = new TextDecoder().decode(rest[0]).includes('"tries":1,');
      const isEnd = ends === (receiver.received.length === 0 ? "before the try" : "after the try");
      if (isTry && isEnd) throw new Error("the process ends");
      return write(key, ...rest);
    };
    // It ends before the first try, and then before it can say what became of it.
    await run("again", "join");
    expect(await shown("again")).toMatchObject({ status: "succeeded", webhook: { tries: 0 } });
    ends = "after the try";
    await run("again", "join");
    expect(receiver.received).toHaveLength(1);
    ends = "no more";
    // The try that was lost is not known to have failed before its time.
    const wait = seconds(await run("again", "join"));
    expect(wait).toBeGreaterThan(20);
    pass(wait);
    expect(await run("again", "join")).toBe("done");
    expect(receiver.received).toHaveLength(2);
    expect(idsOf(receiver.received).size).toBe(1);
    verified(receiver.received[1] as Received);
    expect((await shown("again")).webhook).toMatchObject({ tries: 2 });
  });

  test("OpenAI's batches tell it too, by the header fields", async () => {
    const receiver = await startReceiver();
    const { ask, run } = await start({ WEBHOOK_HOSTS: receiver.host });
    const client = clientOf(ask);
    const body = { model: "search", input: "lamp" };
    const line = { custom_id: "a", method: "POST", url: "/v1/embeddings", body };
    const make = async (lines: unknown[], url = receiver.url) => {
      const { id } = await upload(client, lines);
      const asked = { input_file_id: id, endpoint: "/v1/embeddings" } as const;
      return client.batches.create(
        { ...asked, completion_window: "24h" },
        { headers: asking(url) },
      );
    };
    const { id } = await make([line]);
    await run(id, "cut");
    await run(id, 0);
    const wrong = await make([line, line]);
    await run(wrong.id, "cut");
    expect(receiver.received.map((one) => verified(one))).toMatchObject([
      { type: "batch.succeeded", data: { id, model: "search", location: `/v1/batches/${id}` } },
      { type: "batch.failed", data: { id: wrong.id, model: "" } },
    ]);
    await expect(make([line], "https://evil.test/")).rejects.toThrow(/must be of a host/);
  });

  test("a webhook that may not be told is refused when the batch is made", async () => {
    const { put, ask } = await start({ WEBHOOK_HOSTS: "hooks.example.com, localhost:9000" });
    for (const url of ["http://hooks.example.com/", "https://evil.test/", "https://10.0.0.1/"]) {
      const refused = await put("refused", HEADER + SETOSA, asking(url));
      expect(refused.status).toBe(422);
      expect(await refused.json()).toMatchObject({ errors: [{ path: "X-Nearcast-Webhook" }] });
      const input = { object: "in.csv" };
      const named = await ask("/v1/batches/refused", {
        method: "PUT",
        headers: OBJECT_TYPE,
        body: JSON.stringify({ model: "iris", input, webhook: url }),
      });
      expect(await named.json()).toMatchObject({ status: 422, errors: [{ path: "webhook" }] });
    }
    expect((await ask("/v1/batches/refused")).status).toBe(404);
    expect((await put("good", HEADER, asking("http://localhost:9000/", "soon"))).status).toBe(422);
  });
});
