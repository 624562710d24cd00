import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { AUDIENCE, ISSUER } from "../auth/audience.ts";
import { nearcast } from "../cli/nearcast.ts";
import { claims, signingKey, startIssuer, token } from "../auth/issuer.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { release, startJobs, useModels, tryOut } from "../jobs/started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const CSV = { "Content-Type": "text/csv" };
const NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const HEADER = `${NAMES.join(",")}\n`;
const [SETOSA, VIRGINICA] = ["5.1,3.5,1.4,0.2\n", "6.3,3.3,6,2.5\n"];

interface Shown {
  id: string;
  status: string;
  counts: { total?: number; completed: number; failed: number };
  error?: { code: string; detail: string };
}

const models = useModels();

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, ...env });
  onTestFinished(() => started.end());
  const { ask } = started;
  const upload = (body: BodyInit, headers: Record<string, string> = CSV, query = "model=iris") =>
    ask(`/v1/batches?${query}`, { method: "POST", headers, body });
  async function ended(made: Response, headers: Record<string, string> = {}): Promise<Shown> {
    expect(made.status).toBe(202);
    for (;;) {
      const answer = await ask(made.headers.get("location") ?? "", { headers });
      const batch = (await answer.json()) as Shown;
      if (!["queued", "validating", "running"].includes(batch.status)) return batch;
      expect(answer.headers.get("retry-after")).toBe("2");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const text = async (made: Response, what: string) =>
    (await ask(`${made.headers.get("location")}/${what}`)).text();
  return { ...started, upload, ended, text };
}

const labelsIn = (lines: string) =>
  lines
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { label: string } | null)?.label ?? null);

const idsOf = ({ data }: { data: Shown[] }) => data.map(({ id }) => id);

describe.runIf(hasSqlite)("batches", () => {
  test("a file is answered in order, in chunks, with errors by line", async () => {
    const { upload, ended, text, work, ask } = await start({ MAX_BATCH: "10" });
    work();
    const rows = Array.from({ length: 205 }, (_, row) => (row % 2 === 0 ? SETOSA : VIRGINICA));
    rows[7] = "1,2,3\n";
    rows[150] = "1,2,3,999\n";
    const made = await upload(HEADER + rows.join(""));
    expect(await ended(made)).toMatchObject({
      status: "succeeded",
      counts: { total: 205, completed: 203, failed: 2 },
    });
    const output = await text(made, "output");
    expect(labelsIn(output)).toEqual(
      rows.map((row) => (row === SETOSA ? "setosa" : row === VIRGINICA ? "virginica" : null)),
    );
    const errors = (await text(made, "errors")).trimEnd().split("\n");
    expect(errors.map((line) => JSON.parse(line) as object)).toMatchObject([
      { line: 9, code: "malformed_request" },
      { line: 152, code: "invalid_input", errors: [{ path: "petal_width" }] },
    ]);
    // Each output is that of the call.
    const call = await ask("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [[5.1, 3.5, 1.4, 0.2]] }),
    });
    expect(await call.text()).toContain(`[${output.split("\n")[0]}]`);
    const csv = await text(made, "output?format=csv");
    expect(csv.split("\n").slice(0, 2)[0]).toMatch(/^label,score,scores\.setosa/);
    expect(csv.trimEnd().split("\n")).toHaveLength(206);
  });

  test("a candidate answers a batch of its keys, also when its share has ended since", async () => {
    const { upload, ended, text, work } = await start({ RELEASE_TTL_SECONDS: "0" });
    await tryOut(models.path, "iris", 100);
    onTestFinished(() => release(models.path, "iris", "1"));
    const made = await upload(HEADER + SETOSA, { ...CSV, "X-Nearcast-Key": "somebody" });
    await release(models.path, "iris", "1");
    work();
    expect(await ended(made)).toMatchObject({ status: "succeeded", version: "2" });
    expect(labelsIn(await text(made, "output"))).toEqual(["setosa"]);
  });

  test("JSONL and Parquet are answered as CSV is", async () => {
    const { upload, ended, text, work } = await start();
    work();
    const columnData = NAMES.map((name, column) => {
      return { name, data: [[5.1, 3.5, 1.4, 0.2][column] ?? 0], type: "DOUBLE" as const };
    });
    const outputs: string[] = [];
    for (const [type, body] of [
      ["text/csv; header=absent", SETOSA],
      ["application/jsonl", '{"input": [5.1, 3.5, 1.4, 0.2], "label": "setosa"}'],
      ["application/vnd.apache.parquet", new Uint8Array(parquetWriteBuffer({ columnData }))],
    ] as const) {
      const made = await upload(body as BodyInit, { "Content-Type": type });
      expect(await ended(made)).toMatchObject({ status: "succeeded", counts: { completed: 1 } });
      outputs.push(await text(made, "output"));
    }
    expect(new Set(outputs).size).toBe(1);
    expect(labelsIn(outputs[0] ?? "")).toEqual(["setosa"]);
  });

  test("an object of the caller's folder is answered, and no other one", async () => {
    const { ask, ended, work } = await start();
    work();
    await mkdir(join(models.path, ".batches/anonymous/nightly"), { recursive: true });
    await writeFile(join(models.path, ".batches/anonymous/nightly/in.csv"), HEADER + SETOSA);
    const make = (input: object, id = "") =>
      ask(`/v1/batches${id}`, {
        method: id ? "PUT" : "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: "iris", input }),
      });
    const made = await make({ object: "nightly/in.csv" }, "/mine");
    expect(made.headers.get("location")).toBe("/v1/batches/mine");
    expect(await ended(made)).toMatchObject({ id: "mine", status: "succeeded" });
    expect((await make({ object: "nightly/in.csv" }, "/mine")).status).toBe(202);
    expect((await make({ object: "other.csv" })).status).toBe(404);
    for (const object of ["../in.csv", "/in.csv", ".jobs/in.csv", "a//in.csv", "a\\..\\in.csv"])
      expect((await make({ object })).status).toBe(422);
    expect((await make({ object: "in.txt" })).status).toBe(422);
  });

  test("outputs of an object are objects beside it, which stay, and nothing is written over", async () => {
    const { ask, ended, work, text } = await start();
    work();
    const folder = join(models.path, ".batches/anonymous/beside");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "in.csv"), `${HEADER}${SETOSA}1,2,3\n${VIRGINICA}`);
    const make = (id: string) =>
      ask(`/v1/batches/${id}`, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: "iris", input: { object: "beside/in.csv" } }),
      });
    const made = await make("mine");
    expect(await ended(made)).toMatchObject({
      status: "succeeded",
      output_object: "beside/in.csv.mine.output.jsonl",
      errors_object: "beside/in.csv.mine.errors.jsonl",
    });
    for (const what of ["output", "errors"]) {
      const object = await readFile(join(folder, `in.csv.mine.${what}.jsonl`), "utf8");
      expect(await text(made, what)).toBe(object);
      expect(object).not.toBe("");
    }
    expect(labelsIn(await text(made, "output"))).toEqual(["setosa", null, "virginica"]);
    expect((await make("mine")).status).toBe(202);
    expect((await ask("/v1/batches/mine", { method: "DELETE" })).status).toBe(200);
    expect(await readdir(folder)).toHaveLength(3);
    const again = await make("mine");
    expect(again.status).toBe(409);
    expect(await again.text()).toMatch(/in\.csv\.mine\.output\.jsonl already/);
    expect((await ask("/v1/batches/mine")).status).toBe(404);
    const long = `${"x".repeat(240)}.csv`;
    await writeFile(join(folder, long), HEADER + SETOSA);
    const refused = await ask("/v1/batches", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model: "iris", input: { object: `beside/${long}` } }),
    });
    expect(refused.status).toBe(422);
  });

  test("a part of the lines is given to who asks for it", async () => {
    const { upload, ended, work, ask } = await start();
    work();
    const made = await upload(`${HEADER}${SETOSA.repeat(50)}1,2,3\n`);
    await ended(made);
    const location = made.headers.get("location") ?? "";
    for (const what of ["output", "errors"]) {
      const get = (range?: string, more: Record<string, string> = {}) =>
        ask(`${location}/${what}`, { headers: { ...(range && { Range: range }), ...more } });
      const whole = await get();
      const all = await whole.text();
      const size = all.length;
      expect(whole.headers.get("accept-ranges")).toBe("bytes");
      expect(whole.headers.get("content-length")).toBe(`${size}`);
      for (const [range, start, end] of [
        ["bytes=0-0", 0, 1],
        ["bytes=5-19", 5, 20],
        ["bytes=10-", 10, size],
        ["bytes=-7", size - 7, size],
        ["bytes=3-999999", 3, size],
        ["bytes=-999999", 0, size],
      ] as const) {
        const part = await get(range);
        expect([range, part.status, part.headers.get("content-range")]).toEqual([
          range,
          206,
          `bytes ${start}-${end - 1}/${size}`,
        ]);
        expect(await part.text()).toBe(all.slice(start, end));
      }
      for (const range of ["bytes=0-1,3-4", "rows=1-2", "bytes=9-3", "bytes=-", "bytes=a-b"])
        expect((await get(range)).status).toBe(200);
      expect((await get("bytes=0-1", { "If-Range": '"other"' })).status).toBe(200);
      const behind = await get(`bytes=${size}-`);
      expect([behind.status, behind.headers.get("content-range")]).toEqual([
        416,
        `bytes */${size}`,
      ]);
      expect(await behind.json()).toMatchObject({ code: "range_not_satisfiable" });
    }
  });

  test.each([
    ["a file that is no CSV", CSV, "\u0000\u0001%PDF\n1\n", /has 1 cell, the model has 4 columns/],
    ["other columns", CSV, "x,y\n1,2\n", /has 2 cells, the model has 4 columns/],
    ["a header alone", CSV, HEADER, /has no row/],
    ["a line over the limit", CSV, `${HEADER}${"1".repeat(3000)}`, /Line 2 has more than 2000/],
    ["no Parquet", { "Content-Type": "application/vnd.apache.parquet" }, "x".repeat(99), /no Parq/],
  ])("%s fails, and says why", async (_, headers, body, detail) => {
    const { upload, ended, work, text } = await start({ MAX_BODY_BYTES: "2000" });
    work();
    const made = await upload(body, headers);
    const batch = await ended(made);
    expect(batch).toMatchObject({ status: "failed", counts: { completed: 0 } });
    expect(batch.error?.detail).toMatch(detail);
    expect(await text(made, "output")).toContain('"conflict"');
  });

  test("what cannot be a batch at all is refused at once", async () => {
    const { upload, platform } = await start({ MAX_FILE_BYTES: "1000" });
    expect((await upload("")).status).toBe(400);
    expect((await upload("x".repeat(1001))).status).toBe(413);
    expect((await upload(SETOSA, CSV, "model=nobody")).status).toBe(404);
    expect((await upload(SETOSA, CSV, "")).status).toBe(422);
    expect((await upload(SETOSA, { "Content-Type": "text/plain" })).status).toBe(415);
    expect((await upload(SETOSA, { "Content-Type": "text/csv; header=maybe" })).status).toBe(400);
    expect(await platform.jobs?.store.list(".jobs/")).toEqual([]);
  });

  test("a state of a stream is refused, since each row would go on from it", async () => {
    const { upload, platform } = await start();
    const graph = join(import.meta.dirname, "../fixtures/voice/gru.onnx");
    const flags = ["--task", "tensor", "--options", '{"state": {"h": "hn"}}', "--name", "steps"];
    expect(await nearcast(["add", graph, ...flags, "--models", models.path])).toMatchObject({
      code: 0,
    });
    await release(models.path, "steps", "1");
    const query = `model=steps&parameters=${encodeURIComponent('{"state": "AAAA"}')}`;
    const made = await upload("{}\n", { "Content-Type": "application/jsonl" }, query);
    expect(made.status).toBe(422);
    expect(await made.json()).toMatchObject({
      errors: [{ path: "parameters.state", message: expect.stringContaining("a batch") as string }],
    });
    expect(await platform.jobs?.store.list(".jobs/")).toEqual([]);
  });

  test("an id makes one batch: the same file again is that one, another file is refused", async () => {
    const { upload, ended, work } = await start();
    const headers = { ...CSV, "Idempotency-Key": "nightly" };
    const [first, second] = await Promise.all([
      upload(HEADER + SETOSA, headers),
      upload(HEADER + SETOSA, headers),
    ]);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect((await upload(HEADER + VIRGINICA, headers)).status).toBe(422);
    work();
    expect(await ended(first)).toMatchObject({ status: "succeeded", counts: { total: 1 } });
    expect((await upload(HEADER + SETOSA, headers)).status).toBe(202);
  });

  test("a batch that is cancelled or removed is not gone on with, and a removed one leaves nothing", async () => {
    const { upload, ask, platform, jobs, perform, batchName } = await start({ MAX_BATCH: "1" });
    const made = await upload(HEADER + SETOSA.repeat(20), { ...CSV, "Idempotency-Key": "gone" });
    const name = await batchName("gone");
    expect(await jobs.run(`${name}.cut`, 1, perform)).toBe("done");
    // It is cancelled while a chunk runs.
    let performed = 0;
    await jobs.run(`${name}.0`, 1, async (job, body) => {
      performed += 1;
      await ask("/v1/batches/gone/cancel", { method: "POST" });
      return perform(job, body);
    });
    for (let chunk = 0; chunk < 20; chunk++)
      expect(
        await jobs.run(`${name}.${chunk}`, 1, () => Promise.reject(new Error("it runs"))),
      ).toBe("done");
    expect(performed).toBe(1);
    expect(await (await ask("/v1/batches/gone")).json()).toMatchObject({
      status: "canceled",
      counts: { total: 20, completed: 1 },
    });
    expect((await ask(`${made.headers.get("location")}/output`)).status).toBe(409);
    expect((await ask("/v1/batches/gone", { method: "DELETE" })).status).toBe(200);
    expect((await ask("/v1/batches/gone")).status).toBe(404);
    expect(await platform.jobs?.store.list(".jobs/")).toEqual([]);
  });

  test("messages that come twice, or after an end of the process, change nothing", async () => {
    const { upload, ask, text, jobs, perform, batchName } = await start({ MAX_BATCH: "2" });
    const file = HEADER + (SETOSA + VIRGINICA + VIRGINICA).repeat(11);
    const made = await upload(file, { ...CSV, "Idempotency-Key": "twice" });
    const name = await batchName("twice");
    await Promise.all([jobs.run(`${name}.cut`, 1, perform), jobs.run(`${name}.cut`, 1, perform)]);
    for (const chunk of [3, 0, 1, 2, 7, 6, 5, 4, 8, 16, 15, 14, 13, 12, 11, 10, 9])
      await Promise.all([
        jobs.run(`${name}.${chunk}`, 1, perform),
        jobs.run(`${name}.${chunk}`, 2, perform),
      ]);
    await Promise.all([jobs.run(`${name}.join`, 1, perform), jobs.run(`${name}.join`, 1, perform)]);
    expect(await (await ask("/v1/batches/twice")).json()).toMatchObject({
      status: "succeeded",
      counts: { total: 33, completed: 33, failed: 0 },
    });
    expect(labelsIn(await text(made, "output"))).toEqual(
      Array.from({ length: 11 }, () => ["setosa", "virginica", "virginica"]).flat(),
    );
  });

  test("a chunk whose process ends each time is given up, and the others are answered", async () => {
    const { upload, ask, text, jobs, perform, batchName } = await start({ MAX_BATCH: "1" });
    const made = await upload(HEADER + SETOSA + SETOSA, { ...CSV, "Idempotency-Key": "poison" });
    const name = await batchName("poison");
    await jobs.run(`${name}.cut`, 1, perform);
    await jobs.run(`${name}.0`, 6, perform);
    await jobs.run(`${name}.1`, 1, perform);
    await jobs.run(`${name}.join`, 1, perform);
    expect(await (await ask("/v1/batches/poison")).json()).toMatchObject({
      status: "succeeded",
      counts: { total: 2, completed: 1, failed: 1 },
    });
    expect(labelsIn(await text(made, "output"))).toEqual([null, "setosa"]);
    expect(await text(made, "errors")).toMatch(/given up/);
  });

  test("a chunk waits where the rate is used up, and none is larger than the rate", async () => {
    const { upload, platform, jobs, perform, ask, batchName } = await start({
      RATE_LIMIT: "5/60s",
    });
    await upload(HEADER + SETOSA.repeat(9), { ...CSV, "Idempotency-Key": "costly" });
    const name = await batchName("costly");
    expect(await jobs.run(`${name}.cut`, 1, perform)).toBe("done");
    await ask("/v1/batches/costly");
    const outcome = await jobs.run(`${name}.0`, 1, perform);
    expect(outcome).toMatchObject({ retryAfterSeconds: expect.any(Number) as number });
    const chunks = (await platform.jobs?.store.list(`.jobs/${name}/`)) ?? [];
    expect(chunks.filter((object) => object.includes("/in-"))).toHaveLength(2);
  });

  test("a batch that has not run in its time has expired, and later nothing is left of it", async () => {
    const { upload, ask, platform, jobs, perform, batchName } = await start();
    await upload(HEADER + SETOSA, { ...CSV, "Idempotency-Key": "old" });
    const name = await batchName("old");
    expect(await jobs.run(`${name}.keep`, 1, perform)).toMatchObject({
      retryAfterSeconds: expect.any(Number) as number,
    });
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + 90_000_000);
    expect(await (await ask("/v1/batches/old")).json()).toMatchObject({ status: "expired" });
    expect(await jobs.run(`${name}.cut`, 1, perform)).toBe("done");
    vi.setSystemTime(Date.now() + 90_000_000);
    expect((await ask("/v1/batches/old")).status).toBe(404);
    expect(await jobs.run(`${name}.keep`, 1, perform)).toBe("done");
    expect(await platform.jobs?.store.list(".jobs/")).toEqual([]);
  });

  test("nobody reads, ends or removes another's batch", async () => {
    const [own, other] = [apiKey("own"), apiKey("other")];
    const { upload, ask, ended, work } = await start({ API_KEYS: keyList(own, other) });
    const headers = { ...CSV, ...bearer(own.key), "Idempotency-Key": "secret" };
    const made = await upload(HEADER + SETOSA, headers);
    work();
    await ended(made, bearer(own.key));
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/output"],
      ["GET", "/errors"],
      ["POST", "/cancel"],
      ["DELETE", ""],
    ] as const) {
      const whole = `/v1/batches/secret${path}`;
      expect((await ask(whole, { method, headers: bearer(other.key) })).status).toBe(404);
      expect((await ask(whole, { method })).status).toBe(401);
    }
    expect((await ask("/v1/batches/secret/output", { headers: bearer(own.key) })).status).toBe(200);
  });

  test("a caller's batches are listed, the newest first, and nobody else's", async () => {
    const [own, other] = [apiKey("own"), apiKey("other")];
    const { upload, ask, ended, work } = await start({ API_KEYS: keyList(own, other) });
    work();
    const made: Response[] = [];
    for (const id of ["zero", "a", "mid"]) {
      const headers = { ...CSV, ...bearer(own.key), "Idempotency-Key": id };
      made.push(await upload(HEADER + SETOSA, headers));
      await ended(made.at(-1) as Response, bearer(own.key));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const list = async (query = "", { key } = own) =>
      (await (await ask(`/v1/batches${query}`, { headers: bearer(key) })).json()) as {
        data: Shown[];
        has_more: boolean;
      };
    const all = await list();
    expect(idsOf(all)).toEqual(["mid", "a", "zero"]);
    expect(all.data[0]).toEqual(
      await (await ask("/v1/batches/mid", { headers: bearer(own.key) })).json(),
    );
    const first = await list("?limit=2");
    expect([idsOf(first), first.has_more]).toEqual([["mid", "a"], true]);
    const rest = await list("?limit=2&after=a");
    expect([idsOf(rest), rest.has_more]).toEqual([["zero"], false]);
    expect(idsOf(await list("?order=asc"))).toEqual(["zero", "a", "mid"]);
    expect(idsOf(await list("", other))).toEqual([]);
    expect((await ask("/v1/batches")).status).toBe(401);
    for (const query of ["limit=0", "after=nobody", "order=up", "other=1"])
      expect((await ask(`/v1/batches?${query}`, { headers: bearer(own.key) })).status).toBe(422);
    expect((await ask("/v1/batches?after=zero", { headers: bearer(other.key) })).status).toBe(422);
    await ask("/v1/batches/a", { method: "DELETE", headers: bearer(own.key) });
    expect(idsOf(await list())).toEqual(["mid", "zero"]);
  });

  test("progress says how much of the file is read, and how many rows are done", async () => {
    const { upload, ask, jobs, perform, batchName } = await start({ MAX_BATCH: "1" });
    await upload(HEADER + SETOSA.repeat(300), { ...CSV, "Idempotency-Key": "long" });
    const name = await batchName("long");
    const look = async () =>
      (await (await ask("/v1/batches/long")).json()) as { status: string; progress: object };
    expect(await look()).toMatchObject({ progress: { done: 0, known: 0, read: 0 } });
    expect(await jobs.run(`${name}.cut`, 1, perform)).toEqual({ retryAfterSeconds: 0 });
    const { status, progress } = await look();
    expect(status).toBe("validating");
    expect(progress).toMatchObject({ done: 0, known: 256 });
    expect((progress as { read: number }).read).toBeCloseTo(256 / 300, 1);
    expect(await jobs.run(`${name}.cut`, 1, perform)).toBe("done");
    await jobs.run(`${name}.0`, 1, perform);
    expect(await look()).toMatchObject({
      status: "running",
      progress: { done: 1, known: 300, read: 1 },
    });
  });

  test("an id that ends another's name and id reads nothing", async () => {
    const signer = await signingKey("ec");
    const issuer = await startIssuer(signer);
    onTestFinished(() => issuer.close());
    const { upload, ask } = await start({
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_JWKS_URL: issuer.jwksUrl,
    });
    const subject = async (sub: string) => bearer(await token(signer, claims({ sub })));
    const own = await subject("ben\nhis");
    const made = await upload(SETOSA, { ...CSV, ...own, "Idempotency-Key": "secret" });
    expect(made.status).toBe(202);
    const path = "/v1/batches/his%0Asecret";
    expect((await ask(path, { headers: await subject("ben") })).status).toBe(404);
    expect((await ask("/v1/batches/secret", { headers: own })).status).toBe(200);
  });
});
