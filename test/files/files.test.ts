import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { startJobs, useModels } from "../jobs/started.ts";
import { clientOf, startOpenaiServer, upload, type OpenaiServer } from "./client.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const LINE = { custom_id: "a", method: "POST", url: "/v1/embeddings", body: { model: "search" } };

const models = useModels();

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, ...env });
  onTestFinished(() => started.end());
  const form = async (parts: [string, string | Blob][]) => {
    const made = new FormData();
    for (const [name, value] of parts)
      if (typeof value === "string") made.append(name, value);
      else made.append(name, value, "in.jsonl");
    const { headers, body } = new Response(made);
    return started.ask("/v1/files", {
      method: "POST",
      headers: { "Content-Type": headers.get("content-type") ?? "" },
      body: await new Response(body).bytes(),
    });
  };
  const stored = () => started.platform.jobs?.store.list(".jobs/");
  return { ...started, client: clientOf(started.ask), form, stored };
}

const lost = () => Promise.reject(new Error("the process has ended"));
const blob = (text: string | Uint8Array<ArrayBuffer>) => new Blob([text]);

describe.runIf(hasSqlite)("OpenAI's files", () => {
  let server: OpenaiServer;
  let client: OpenAI;
  beforeAll(async () => {
    server = await startOpenaiServer({ STORE: models.path });
    client = server.client();
  });
  afterAll(() => server?.stop());

  test("the official client uploads, reads, lists and deletes them", async () => {
    const lines = Array.from({ length: 90_000 }, (_, line) => ({
      ...LINE,
      custom_id: `é-${line}`,
    }));
    const made = await upload(client, lines, { name: "nightly é.jsonl" });
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    expect(made).toMatchObject({
      object: "file",
      purpose: "batch",
      filename: "nightly é.jsonl",
      status: "processed",
      bytes: new TextEncoder().encode(text).length,
    });
    expect(made.expires_at).toBe(made.created_at + 86_400);
    expect(await client.files.retrieve(made.id)).toEqual(made);
    expect(await client.files.waitForProcessing(made.id)).toEqual(made);
    const content = await client.files.content(made.id);
    expect((await content.text()) === text).toBe(true);

    const other = await upload(client, [LINE]);
    const ids: string[] = [];
    for await (const { id } of client.files.list({ limit: 1, order: "asc" })) ids.push(id);
    expect(ids).toEqual([made.id, other.id]);
    // What is deleted on the way does not end the way.
    const deleted: string[] = [];
    for await (const { id } of client.files.list({ limit: 1, purpose: "batch" })) {
      expect(await client.files.delete(id)).toEqual({ id, object: "file", deleted: true });
      deleted.push(id);
    }
    expect(deleted).toEqual([other.id, made.id]);
    await expect(client.files.retrieve(made.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(client.files.content(made.id)).rejects.toMatchObject({
      status: 404,
      type: "invalid_request_error",
    });
    expect((await client.files.list()).data).toEqual([]);
  });

  test("the time of a file may be shorter, and then nothing is left of it", async () => {
    const { client: own, jobs, perform, platform, stored } = await start();
    const after = (seconds: number) =>
      upload(own, [LINE], { expires_after: { anchor: "created_at", seconds } });
    const made = await after(3600);
    expect(made.expires_at).toBe(made.created_at + 3600);
    await expect(after(86_401)).rejects.toThrow(/must be at most 86400/);
    await expect(after(59)).rejects.toThrow(/must be at least 60/);
    const key = await platform.sha256(`file\nanonymous\n${made.id}`);
    expect(await jobs.run(`${key}.file`, 1, perform)).toEqual({ retryAfterSeconds: 3600 });
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + 3_600_000);
    await expect(own.files.retrieve(made.id)).rejects.toThrow(OpenAI.NotFoundError);
    expect((await own.files.list()).data).toEqual([]);
    expect(await jobs.run(`${key}.file`, 1, perform)).toBe("done");
    expect(await stored()).toEqual([]);
  });

  test("an upload whose process ends is removed later", async () => {
    const { client: own, jobs, perform, platform, stored } = await start();
    const { store } = platform.jobs ?? {};
    if (!store) throw new Error("There is no store.");
    const [put, drop] = [store.put.bind(store), store.delete.bind(store)];
    store.put = (name, ...rest) => (/part-/.test(name) ? lost() : put(name, ...rest));
    store.delete = lost;
    await expect(upload(own, [LINE])).rejects.toThrow(OpenAI.InternalServerError);
    Object.assign(store, { put, delete: drop });
    expect((await own.files.list()).data).toEqual([]);
    const [left = ""] = (await stored()) ?? [];
    const [, key = ""] = /^\.jobs\/(\w+)\/file\.json$/.exec(left) ?? [];
    expect(await jobs.run(`${key}.file`, 1, perform)).toEqual({ retryAfterSeconds: 4200 });
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + 4_200_000);
    expect(await jobs.run(`${key}.file`, 1, perform)).toBe("done");
    expect(await stored()).toEqual([]);
  });

  test.each<[string, number, RegExp, [string, string | Blob][]]>([
    ["another purpose", 422, /purpose must be "batch"/, [["purpose", "vision"]]],
    ["no purpose", 422, /purpose/, []],
    [
      "an unknown field",
      422,
      /"colour" is not known/,
      [
        ["purpose", "batch"],
        ["colour", "red"],
      ],
    ],
    [
      "a second file",
      400,
      /one file, named file/,
      [
        ["purpose", "batch"],
        ["other", blob("{}")],
      ],
    ],
    ["a long field", 400, /more than 8192 bytes/, [["purpose", "b".repeat(9000)]]],
    ["many fields", 400, /more than 20 parts/, Array.from({ length: 25 }, (_, n) => [`${n}`, "x"])],
  ])("%s is refused, and nothing stays of it", async (_, status, message, others) => {
    const { form, stored } = await start();
    const answer = await form([["file", blob("{}\n")], ...others]);
    expect(answer.status).toBe(status);
    const { error } = (await answer.json()) as { error: { message: string } };
    expect(error.message).toMatch(message);
    expect(await stored()).toEqual([]);
  });

  test.each<[string, number, string | Uint8Array<ArrayBuffer>]>([
    ["no JSON", 400, "id,text\n1,a\n"],
    ["a JSON array", 400, '[{"custom_id": "a"}]'],
    ["no UTF-8", 400, new Uint8Array([0x7b, 0xff, 0xfe, 0x7d, 0x0a])],
    ["nothing", 400, ""],
    ["a first line over the limit", 400, `{"a": "${"x".repeat(3000)}`],
    ["a file over the limit", 413, "{}\n".repeat(2000)],
  ])("%s is refused, and nothing stays of it", async (_, status, content) => {
    const { form, stored } = await start({ MAX_BODY_BYTES: "2000", MAX_FILE_BYTES: "5000" });
    const answer = await form([
      ["purpose", "batch"],
      ["file", blob(content)],
    ]);
    expect(answer.status).toBe(status);
    expect(await stored()).toEqual([]);
  });

  test("what is no whole form is refused", async () => {
    const { ask, stored } = await start();
    const post = (type: string, body: string) =>
      ask("/v1/files", { method: "POST", headers: { "Content-Type": type }, body });
    const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}\n';
    const type = "multipart/form-data; boundary=b";
    expect((await post(type, `${part}\r\n--b--\r\n`)).status).toBe(422);
    for (const [kind, body] of [
      [type, part],
      [type, ""],
      [type, `--b\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--b--\r\n`],
      [type, `--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n`],
      [type, part.replace('filename="a"', "filename*=UTF-8''%ff")],
      ["multipart/form-data", part],
    ] as const)
      expect((await post(kind, body)).status).toBe(400);
    expect((await post("application/jsonl", "{}\n")).status).toBe(415);
    expect((await post("application/json", "{}")).status).toBe(415);
    expect(await stored()).toEqual([]);
  });

  test("nobody reads, lists or deletes another's file, with any kind of key", async () => {
    const [own, other, reads] = [
      apiKey("own"),
      apiKey("other"),
      apiKey("reads", { scopes: ["read"] }),
    ];
    const { ask } = await start({ API_KEYS: keyList(own, other, reads) });
    const { id } = await upload(clientOf(ask, own.key), [LINE]);
    for (const [method, path] of [
      ["GET", `/v1/files/${id}`],
      ["GET", `/v1/files/${id}/content`],
      ["DELETE", `/v1/files/${id}`],
    ] as const) {
      expect((await ask(path, { method, headers: bearer(other.key) })).status).toBe(404);
      expect((await ask(path, { method, headers: bearer(reads.key) })).status).toBe(403);
      expect((await ask(path, { method })).status).toBe(401);
    }
    expect((await clientOf(ask, other.key).files.list()).data).toEqual([]);
    expect((await ask("/v1/files", { headers: bearer(reads.key) })).status).toBe(403);
    await expect(upload(clientOf(ask, reads.key), [LINE])).rejects.toMatchObject({ status: 403 });
    expect((await clientOf(ask, own.key).files.list()).data).toMatchObject([{ id }]);
  });
});
