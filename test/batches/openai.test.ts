import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { clientOf, startOpenaiServer, upload, type OpenaiServer } from "../files/client.ts";
import { release, startJobs, useModels, tryOut } from "../jobs/started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

type Body = OpenAI.EmbeddingCreateParams;
interface Line {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: unknown } | null;
  error: { code: string; message: string } | null;
}

const line = (id: string, body: object = {}) => ({
  custom_id: id,
  method: "POST",
  url: "/v1/embeddings",
  body: { model: "search", input: id, ...body },
});

const models = useModels();

const create = (client: OpenAI, file: string, more: object = {}) =>
  client.batches.create({
    input_file_id: file,
    endpoint: "/v1/embeddings",
    completion_window: "24h",
    ...more,
  });

async function ended(client: OpenAI, id: string): Promise<OpenAI.Batch> {
  for (;;) {
    const batch = await client.batches.retrieve(id);
    if (!["validating", "in_progress", "finalizing", "cancelling"].includes(batch.status))
      return batch;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function linesOf(client: OpenAI, file: string | undefined): Promise<Line[]> {
  const { bytes } = await client.files.retrieve(file ?? "");
  const text = await (await client.files.content(file ?? "")).text();
  expect(new TextEncoder().encode(text).length).toBe(bytes);
  return text
    .trimEnd()
    .split("\n")
    .map((one) => JSON.parse(one) as Line);
}

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, ...env });
  onTestFinished(() => started.end());
  const client = clientOf(started.ask);
  const made = async (lines: readonly unknown[], more: object = {}) =>
    create(client, (await upload(client, lines)).id, more);
  /** Does the work of a batch's message. */
  const run = async (id: string, what: string | number, tries = 1) =>
    started.jobs.run(`${await started.batchName(id)}.${what}`, tries, started.perform);
  return { ...started, client, made, run };
}

describe.runIf(hasSqlite)("OpenAI's batches", () => {
  describe("on a server", () => {
    let server: OpenaiServer;
    let client: OpenAI;
    beforeAll(async () => {
      server = await startOpenaiServer({ STORE: models.path });
      client = server.client();
    });
    afterAll(() => server?.stop());

    test("the official client's batch has the bytes of its calls, in order", async () => {
      const bodies: Omit<Body, "model">[] = [
        { input: "a red lamp" },
        { input: ["a red lamp", "candle"], encoding_format: "base64" },
        { input: "candle", dimensions: 8, encoding_format: "float" },
        { input: [[1, 2]] },
        { input: "x ".repeat(5000) },
        ...Array.from({ length: 250 }, (_, row) => ({ input: `text ${row % 7}`, user: "me" })),
      ];
      const lines = bodies.map((body, row) => line(`row-${row}`, body));
      const file = await upload(client, lines);
      const made = await create(client, file.id, { metadata: { run: "nightly" } });
      expect(made).toMatchObject({
        object: "batch",
        status: "validating",
        endpoint: "/v1/embeddings",
        completion_window: "24h",
        input_file_id: file.id,
        metadata: { run: "nightly" },
        output_file_id: null,
        error_file_id: null,
        expires_at: made.created_at + 86_400,
      });
      const batch = await ended(client, made.id);
      expect(batch).toMatchObject({
        status: "completed",
        model: "search",
        errors: null,
        request_counts: { total: 255, completed: 253, failed: 2 },
        cancelled_at: null,
      });
      expect(batch.completed_at).toBeGreaterThanOrEqual(batch.in_progress_at ?? Infinity);

      const call = async ({ body }: (typeof lines)[number]) => {
        const answer = await server.fetch("/v1/embeddings", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(body),
        });
        return { status: answer.status, text: await answer.text() };
      };
      const output = await linesOf(client, batch.output_file_id);
      expect(output.map((one) => one.custom_id)).toEqual(
        lines.map((one) => one.custom_id).filter((id) => id !== "row-3" && id !== "row-4"),
      );
      const text = await (await client.files.content(batch.output_file_id ?? "")).text();
      for (const [row, one] of text.split("\n").slice(0, 10).entries()) {
        const { custom_id: id, response, error } = output[row] as Line;
        const { status, text: body } = await call(lines[Number(id.slice(4))] as never);
        expect(one).toContain(`"status_code":${status},`);
        expect(one).toContain(`"body":${body}},"error":null}`);
        expect([error, response?.request_id]).toEqual([null, output[row]?.id]);
      }
      const part = await server.fetch(`/v1/files/${batch.output_file_id}/content`, {
        headers: { Range: "bytes=40000-90000" },
      });
      expect([part.status, await part.text()]).toEqual([206, text.slice(40_000, 90_001)]);
      const failed = await linesOf(client, batch.error_file_id);
      expect(failed.map((one) => one.custom_id)).toEqual(["row-3", "row-4"]);
      for (const { custom_id: id, response } of failed) {
        const { status, text: body } = await call(lines[Number(id.slice(4))] as never);
        expect(response).toMatchObject({ status_code: status, body: JSON.parse(body) as object });
      }

      const outputs = await client.files.list({ purpose: "batch_output" });
      expect(new Set(outputs.data.map(({ id }) => id))).toEqual(
        new Set([batch.output_file_id, batch.error_file_id]),
      );
      await client.files.delete(batch.output_file_id ?? "");
      await expect(client.files.content(batch.output_file_id ?? "")).rejects.toThrow(/no file/);
      expect(await linesOf(client, batch.error_file_id)).toHaveLength(2);
    });

    test("the list has every batch, page by page", async () => {
      const file = await upload(client, [line("a")]);
      const made: string[] = [];
      for (let count = 0; count < 3; count++) made.unshift((await create(client, file.id)).id);
      const found: string[] = [];
      for await (const { id } of client.batches.list({ limit: 2 })) found.push(id);
      expect(found.slice(0, 3)).toEqual(made);
      const page = await client.batches.list({ after: made[1] as string, limit: 1 });
      expect(page.data.map(({ id }) => id)).toEqual([made[2]]);
      for (const id of made) expect((await ended(client, id)).status).toBe("completed");
    });

    test("what is wrong with a file is said by line, and no line is asked", async () => {
      const wrong = [
        { ...line("a"), body: { input: "no model" } },
        "{not JSON",
        line("b"),
        line("b"),
        { ...line(""), custom_id: undefined },
        { ...line("c"), method: "GET" },
        { ...line("d"), url: "/v1/chat/completions" },
        line("e", { model: "other" }),
        "[]",
        { ...line("f"), body: undefined },
      ];
      const { id } = await create(client, (await upload(client, wrong)).id);
      const batch = await ended(client, id);
      expect(batch.status).toBe("failed");
      expect(batch.errors?.data?.map(({ line: at, code, param }) => [at, code, param])).toEqual([
        [1, "missing_required_parameter", "body.model"],
        [2, "invalid_json_line", null],
        [4, "duplicate_custom_id", "custom_id"],
        [5, "missing_required_parameter", "custom_id"],
        [6, "invalid_method", "method"],
        [7, "invalid_url", "url"],
        [8, "mismatched_model", "body.model"],
        [9, "invalid_json_line", null],
        [10, "missing_required_parameter", "body"],
      ]);
      expect(batch).toMatchObject({ output_file_id: null, error_file_id: null });
      expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at);
    });

    test.each([
      ["another task", [line("a", { model: "iris" })], "invalid_input", /feature-extraction|task/],
      ["no such model", [line("a", { model: "nobody" })], "model_not_found", /nobody/],
    ])("a model that cannot answer: %s", async (_, lines, code, message) => {
      const { id } = await create(client, (await upload(client, lines)).id);
      const batch = await ended(client, id);
      expect(batch.status).toBe("failed");
      expect(batch.errors?.data).toMatchObject([{ code, line: null }]);
      expect(batch.errors?.data?.[0]?.message).toMatch(message);
    });

    test("what is no batch is refused at once, in words that the client reads", async () => {
      const { id } = await upload(client, [line("a")]);
      const refused = (body: object) =>
        client.batches
          .create({ ...body } as OpenAI.BatchCreateParams)
          .catch((error: unknown) => error);
      const asked = { input_file_id: id, endpoint: "/v1/embeddings", completion_window: "24h" };
      for (const [change, status, path] of [
        [{ input_file_id: "file-none" }, 404, null],
        [{ endpoint: "/v1/responses" }, 422, "endpoint"],
        [{ completion_window: "1h" }, 422, "completion_window"],
        [{ metadata: { a: 1 } }, 422, "metadata.a"],
        [{ output_expires_after: { anchor: "created_at", seconds: 9e9 } }, 422, /seconds/],
      ] as const) {
        const error = (await refused({ ...asked, ...change })) as InstanceType<
          typeof OpenAI.APIError
        >;
        expect(error.status).toBe(status);
        expect(error.type).toBe("invalid_request_error");
        if (path instanceof RegExp) expect(error.param).toMatch(path);
        else expect(error.param).toBe(path);
      }
      await expect(client.batches.retrieve("batch_none")).rejects.toThrow(OpenAI.NotFoundError);
    });
  });

  test("a batch that is cancelled asks no further line, and says so by line", async () => {
    const { client, made, run, ask } = await start();
    const { id } = await made(Array.from({ length: 250 }, (_, row) => line(`${row}`)));
    expect((await client.batches.cancel(id)).status).toBe("cancelled");
    const other = await made(Array.from({ length: 250 }, (_, row) => line(`${row}`)));
    await run(other.id, "cut");
    await run(other.id, 1);
    const cancelled = await client.batches.cancel(other.id);
    expect(cancelled).toMatchObject({ status: "cancelling", output_file_id: null });
    expect((await client.batches.cancel(other.id)).cancelling_at).toBe(cancelled.cancelling_at);
    for (const chunk of [0, 2]) await run(other.id, chunk);
    const batch = await client.batches.retrieve(other.id);
    expect(batch).toMatchObject({
      status: "cancelled",
      request_counts: { total: 250, completed: 100, failed: 150 },
    });
    expect(await linesOf(client, batch.output_file_id)).toHaveLength(100);
    const left = await linesOf(client, batch.error_file_id);
    expect(left.map((one) => one.custom_id).slice(99, 101)).toEqual(["99", "200"]);
    for (const { response, error } of left)
      expect([response, error?.code]).toEqual([null, "batch_cancelled"]);
    // What the native API removes is gone for both.
    expect((await ask(`/v1/batches/${other.id}`, { method: "DELETE" })).status).toBe(200);
    await expect(client.files.retrieve(batch.output_file_id ?? "")).rejects.toThrow(/no file/);
    expect((await client.batches.list()).data.map((one) => one.id)).toEqual([id]);
  });

  test("a batch that was not done within its window has expired, with what it has", async () => {
    const { client, made, run } = await start();
    const { id } = await made(Array.from({ length: 150 }, (_, row) => line(`${row}`)));
    await run(id, "cut");
    await run(id, 0);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + 86_401_000);
    expect((await client.batches.retrieve(id)).status).toBe("finalizing");
    await run(id, 1);
    const batch = await client.batches.retrieve(id);
    expect(batch).toMatchObject({
      status: "expired",
      request_counts: { total: 150, completed: 100, failed: 50 },
    });
    const [left] = await linesOf(client, batch.error_file_id);
    expect(left).toMatchObject({ custom_id: "100", error: { code: "batch_expired" } });
    vi.setSystemTime(Date.now() + 86_401_000);
    await expect(client.batches.retrieve(id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(client.files.retrieve(batch.error_file_id ?? "")).rejects.toThrow(/no file/);
  });

  test("each line pays for itself, and a chunk goes on behind those that were paid", async () => {
    const { client, made, run, platform, batchName } = await start({ RATE_LIMIT: "30/60s" });
    const { id } = await made(Array.from({ length: 40 }, (_, row) => line(`${row}`)));
    await run(id, "cut");
    expect(await run(id, 0)).toMatchObject({ retryAfterSeconds: expect.any(Number) as number });
    const some = await platform.jobs?.store.get(`.jobs/${await batchName(id)}/some-0`);
    const text = some && some !== "not-modified" ? new TextDecoder().decode(some.bytes) : "";
    const done = text.trimEnd().split("\n").length - 1;
    expect(done).toBeGreaterThan(20);
    expect(done).toBeLessThan(30);
    platform.limiter.take = () => ({ allowed: true, remaining: 30, resetSeconds: 60 });
    expect(await run(id, 0)).toBe("done");
    const batch = await client.batches.retrieve(id);
    expect(batch).toMatchObject({ status: "completed", request_counts: { completed: 40 } });
    const output = await linesOf(client, batch.output_file_id);
    expect(output.map((one) => one.custom_id)).toEqual(output.map((_, row) => `${row}`));
  });

  test("messages that come twice, and chunks that end their process, change nothing else", async () => {
    const { client, made, run } = await start();
    const { id } = await made(Array.from({ length: 350 }, (_, row) => line(`${row}`)));
    await Promise.all([run(id, "cut"), run(id, "cut")]);
    await run(id, 2, 6);
    for (const chunk of [3, 0, 0, 1]) await Promise.all([run(id, chunk), run(id, chunk, 2)]);
    const batch = await client.batches.retrieve(id);
    expect(batch).toMatchObject({
      status: "completed",
      request_counts: { total: 350, completed: 250, failed: 100 },
    });
    const output = await linesOf(client, batch.output_file_id);
    expect(output.map((one) => Number(one.custom_id))).toEqual(
      Array.from({ length: 250 }, (_, row) => (row < 200 ? row : row + 100)),
    );
    const given = await linesOf(client, batch.error_file_id);
    expect(given[0]).toMatchObject({ custom_id: "200", error: { code: "internal" } });
  });

  test("a batch has the version that a call with its key has, or without one with its id", async () => {
    const { client, ask, post, work } = await start({ RELEASE_TTL_SECONDS: "0" });
    work();
    await tryOut(models.path, "search", 50);
    onTestFinished(() => release(models.path, "search", "1"));
    const answered = async (version: string | null) => {
      const metrics = await (await ask("/metrics")).text();
      const label = `nearcast_assignments_total{model="search",version="${version}"`;
      const lines = metrics.split("\n").filter((one) => one.startsWith(label));
      return lines.reduce((sum, one) => sum + Number(one.split(" ").at(-1)), 0);
    };
    const { id: file } = await upload(client, [line("a"), line("b")]);
    const seen = new Set<string>();
    for (const name of ["X-Nearcast-Key", "X-Request-Id"])
      for (const key of ["key-1", "key-2", "key-3", "key-4", "key-5", "key-6"]) {
        const headers = { [name]: key };
        const call = await post("/v1/embeddings", line("a").body, headers);
        const version = call.headers.get("x-model-version");
        const before = await answered(version);
        const asked = { input_file_id: file, endpoint: "/v1/embeddings" } as const;
        const { id } = await client.batches.create(
          { ...asked, completion_window: "24h" },
          { headers },
        );
        expect((await ended(client, id)).status).toBe("completed");
        expect(await answered(version), `${name}: ${key}`).toBe(before + 2);
        seen.add(version ?? "");
      }
    expect([...seen].toSorted()).toEqual(["1", "2"]);
  });

  test("who has the scope chooses the version of a batch", async () => {
    const [plain, tester] = [
      apiKey("plain", { scopes: ["predict"] }),
      apiKey("tester", { scopes: ["predict", "override", "metrics"] }),
    ];
    const { ask, work } = await start({ API_KEYS: keyList(plain, tester) });
    work();
    const headers = { "X-Nearcast-Version-Override": "2" };
    const make = async (key: string) => {
      const client = clientOf(ask, key);
      const { id } = await upload(client, [line("a")]);
      const asked = { input_file_id: id, endpoint: "/v1/embeddings" } as const;
      const made = await client.batches.create({ ...asked, completion_window: "24h" }, { headers });
      return ended(client, made.id);
    };
    await expect(make(plain.key)).rejects.toThrow(OpenAI.PermissionDeniedError);
    expect((await make(tester.key)).status).toBe("completed");
    const metrics = await ask("/metrics", { headers: bearer(tester.key) });
    expect(await metrics.text()).toMatch(/assignments_total\{model="search",version="2".*override/);
  });

  test("a file that goes while its batch reads it fails the batch", async () => {
    const { client, run } = await start();
    const file = await upload(client, [line("a")]);
    const { id } = await create(client, file.id);
    await client.files.delete(file.id);
    await run(id, "cut");
    expect(await client.batches.retrieve(id)).toMatchObject({
      status: "failed",
      errors: { data: [{ code: "conflict" }] },
    });
  });

  test("nobody reads, ends or lists another's batch, nor what it made, with any kind of key", async () => {
    const [own, other] = [apiKey("own"), apiKey("other")];
    const [reads, iris] = [
      apiKey("reads", { scopes: ["read"] }),
      apiKey("iris", { models: ["iris"] }),
    ];
    const { ask, work } = await start({ API_KEYS: keyList(own, other, reads, iris) });
    work();
    const client = clientOf(ask, own.key);
    const input = await upload(client, [line("a"), line("b", { input: 7 })]);
    const batch = await ended(client, (await create(client, input.id)).id);
    expect(batch.status).toBe("completed");
    const files = [input.id, batch.output_file_id, batch.error_file_id];
    for (const path of files.map((id) => `/v1/files/${id}`))
      for (const [method, whole] of [
        ["GET", path],
        ["GET", `${path}/content`],
        ["DELETE", path],
      ] as const) {
        for (const { key } of [other, iris])
          expect((await ask(whole, { method, headers: bearer(key) })).status).toBe(404);
        expect((await ask(whole, { method, headers: bearer(reads.key) })).status).toBe(403);
        expect((await ask(whole, { method })).status).toBe(401);
      }
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/output"],
      ["POST", "/cancel"],
      ["DELETE", ""],
    ] as const) {
      const whole = `/v1/batches/${batch.id}${path}`;
      expect((await ask(whole, { method, headers: bearer(other.key) })).status).toBe(404);
      expect((await ask(whole, { method })).status).toBe(401);
    }
    const stranger = clientOf(ask, other.key);
    await expect(create(stranger, input.id)).rejects.toThrow(OpenAI.NotFoundError);
    expect((await stranger.batches.list()).data).toEqual([]);
    expect((await client.batches.list()).data).toHaveLength(1);
    // The model of the lines is one that this key may not use.
    const narrow = clientOf(ask, iris.key);
    const refused = await create(narrow, (await upload(narrow, [line("a")])).id);
    expect((await ended(narrow, refused.id)).errors?.data).toMatchObject([{ code: "forbidden" }]);
  });

  test("the native body at the same address is read as before", async () => {
    const { ask } = await start();
    const post = (body: unknown) =>
      ask("/v1/batches", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    const native = await post({ model: "iris", input: { object: "none.csv" } });
    expect(native.status).toBe(404);
    const mixed = await post({ model: "iris", input: { object: "a.csv" }, input_file_id: "f" });
    expect(await mixed.json()).toMatchObject({
      status: 422,
      error: { type: "invalid_request_error" },
    });
    const neither = await post({ model: "iris" });
    expect(await neither.json()).toMatchObject({ status: 422, errors: [{ path: "input" }] });
    expect(neither.headers.get("content-type")).toBe("application/problem+json");
  });
});
