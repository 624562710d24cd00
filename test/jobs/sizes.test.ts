import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { startJobs, useModels } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const PREDICT = "/v1/models/iris/predict";

const models = useModels();

async function start(env: Record<string, string>) {
  const started = await startJobs({ STORE: models.path, ...env });
  onTestFinished(() => started.end());
  return started;
}

describe.runIf(hasSqlite)("the limits of calls are those of jobs", () => {
  test("a body that is too large makes no job, and nothing of it is stored", async () => {
    const { later, put, platform } = await start({ MAX_BODY_BYTES: "2000" });
    const inputs = Array.from({ length: 300 }, () => SETOSA);
    expect((await later(PREDICT, { inputs })).status).toBe(413);
    expect((await put("large", { model: "iris", inputs })).status).toBe(413);
    expect(await platform.jobs?.store.list(".jobs/")).toEqual([]);
  });

  test.for([
    ["a batch that is too large", { MAX_BATCH: "2" }],
    ["an answer that is too long", { MAX_ANSWER_BYTES: "200" }],
  ] as [string, Record<string, string>][])(
    "%s fails the job as it fails the call",
    async ([, env]) => {
      const { post, later, put, ask, work, ended } = await start(env);
      work();
      const inputs = Array.from({ length: 3 }, () => SETOSA);
      const headers = { "X-Request-Id": "one-request" };
      const now = await post(PREDICT, { inputs }, headers);
      expect(now.status).toBeGreaterThanOrEqual(400);
      const wanted = await now.text();
      const made = await later(PREDICT, { inputs }, headers);
      await put("put", { model: "iris", inputs }, headers);
      for (const location of [made.headers.get("location") ?? "", "/v1/jobs/put"]) {
        expect(await ended(location)).toMatchObject({ status: "failed" });
        const result = await ask(`${location}/result`);
        expect([result.status, await result.text()]).toEqual([now.status, wanted]);
      }
    },
  );

  test("clients that wait for their jobs make room for others, the oldest first", async () => {
    const { post, later } = await start({ MAX_CONCURRENCY: "2" });
    const ended: string[] = [];
    const wait = (id: string) =>
      later(
        PREDICT,
        { inputs: SETOSA },
        { Prefer: "respond-async, wait=20", "Idempotency-Key": id },
      ).then(({ status }) => ended.push(`${id} ${status}`));
    const first = wait("first");
    await sleep(50);
    void wait("second");
    await sleep(50);
    expect((await post(PREDICT, { inputs: SETOSA })).status).toBe(200);
    await first;
    expect(ended).toEqual(["first 202"]);
  });

  test("clients that wait for their jobs go on waiting where only bytes of bodies are missing", async () => {
    const { post, later, ask } = await start({ BODY_BUDGET_MB: "1" });
    let status: number | undefined;
    const waiting = later(
      PREDICT,
      { inputs: SETOSA },
      {
        Prefer: "respond-async, wait=20",
        "Idempotency-Key": "waits",
        "Content-Length": "28",
      },
    ).then((answer) => (status = answer.status));
    await sleep(50);
    // Bodies that declare no length count as the longest.
    const { readable, writable } = new TransformStream<Uint8Array>();
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: readable, duplex: "half" };
    const slow = ask(PREDICT, init);
    await sleep(50);
    expect((await post(PREDICT, { inputs: SETOSA })).status).toBe(503);
    await sleep(100);
    expect(status).toBeUndefined();
    await writable.close();
    await slow;
    expect((await ask("/v1/jobs/waits/cancel", { method: "POST" })).status).toBe(200);
    await waiting;
  });

  test("the file of jobs has a bound, and what was removed makes room", async () => {
    const { ask, later } = await start({ JOBS_FILE_MB: "6" });
    const upload = async (mebibytes: number) => {
      const form = new FormData();
      form.append("purpose", "batch");
      form.append("file", new Blob([Buffer.alloc(mebibytes * 2 ** 20, '{"a":1}\n')]), "a.jsonl");
      const { headers, body } = new Response(form);
      const answer = await ask("/v1/files", {
        method: "POST",
        headers: { "Content-Type": headers.get("content-type") ?? "" },
        body: await new Response(body).bytes(),
      });
      return { status: answer.status, text: await answer.text() };
    };
    const first = await upload(4);
    expect(first.status).toBe(200);
    const full = await upload(4);
    expect([full.status, full.text]).toEqual([503, expect.stringContaining("is full")]);
    expect((await later(PREDICT, { inputs: SETOSA })).status).toBe(202);
    const { id } = JSON.parse(first.text) as { id: string };
    expect((await ask(`/v1/files/${id}`, { method: "DELETE" })).status).toBe(200);
    expect((await upload(4)).status).toBe(200);
  });
});
