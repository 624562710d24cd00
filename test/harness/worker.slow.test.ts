import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startWorker, type WorkerHarness } from "./worker.ts";

// (module (func (export "answer") (result i32) i32.const 42))
const wasm = Buffer.from(
  "0061736d010000000105016000017f03020100070a0106616e7377657200000a06010400412a0b",
  "hex",
);
const script = `
import module from './answer.wasm'
let served = 0
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    const key = searchParams.get('key')
    const etag = searchParams.get('etag')
    served += 1
    try {
      if (pathname === '/served') return Response.json({ served, answer: WebAssembly.Module.exports(module)[0].name, colour: env.COLOUR })
      if (pathname === '/put') return Response.json(await env.MODELS.put(key, 'new', { onlyIf: { etagMatches: etag } }))
      if (pathname === '/head') return Response.json(await env.MODELS.head(key))
      if (pathname === '/list') return Response.json(await env.MODELS.list({ prefix: key }))
      const object = await env.MODELS.get(key, etag ? { onlyIf: { etagDoesNotMatch: etag } } : {})
      if (object === null) return new Response('missing', { status: 404 })
      if (!object.body) return new Response(null, { status: 304, headers: { etag: object.httpEtag } })
      if (pathname === '/stream') return new Response(object.body, { headers: { etag: object.httpEtag } })
      return Response.json({ etag: object.etag, size: object.size, length: (await object.arrayBuffer()).byteLength })
    } catch (error) {
      return Response.json({ error: error.message }, { status: 500 })
    }
  },
}
`;

let directory: string;
let worker: WorkerHarness;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nearcast-worker-"));
  await writeFile(path.join(directory, "index.js"), script);
  await writeFile(path.join(directory, "answer.wasm"), wasm);
  await writeFile(path.join(directory, "README.md"), "written by wrangler");
  worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    vars: { COLOUR: "green" },
  });
}, 60_000);
afterEach(() => worker.setBehaviour("ok"));
afterAll(async () => {
  await worker.stop();
  await rm(directory, { recursive: true });
});
const json = async (path: string): Promise<unknown> => (await worker.fetch(path)).json();

test("the application reads R2 objects as it would in production, and every request is counted", async () => {
  const httpEtag = await worker.put("m 1", "abcdefgh");
  const etag = httpEtag.slice(1, -1);
  const before = worker.storeRequests().length;
  expect(await json("/get?key=m%201")).toEqual({ etag, size: 8, length: 8 });
  const streamed = await worker.fetch("/stream?key=m%201");
  expect(streamed.headers.get("etag")).toBe(httpEtag);
  expect(await streamed.text()).toBe("abcdefgh");
  expect((await worker.fetch(`/get?key=m%201&etag=${etag}`)).status).toBe(304);
  expect((await worker.fetch("/get?key=none")).status).toBe(404);
  expect(await json("/head?key=m%201")).toMatchObject({ size: 8, etag });
  expect(await json("/list?key=m")).toMatchObject({ objects: [{ key: "m 1" }], truncated: false });
  expect(await json(`/put?key=m%201&etag=${etag}`)).toMatchObject({ key: "m 1", size: 3 });
  expect(await json(`/put?key=m%201&etag=${etag}`)).toBe(null);
  expect((await worker.get("m 1"))?.toString()).toBe("new");
  expect(
    worker
      .storeRequests()
      .slice(before)
      .map(({ method, key }) => `${method} ${key}`),
  ).toEqual([
    "get m 1",
    "get m 1",
    "get m 1",
    "get none",
    "head m 1",
    "list ",
    "put m 1",
    "put m 1",
  ]);
});

test("a large value passes through unchanged", async () => {
  const bytes = Buffer.alloc(20_000_000, "model");
  await worker.put("large", bytes);
  const response = await worker.fetch("/stream?key=large");
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
});

test("down and forbidden are errors of the binding, for the keys named", async () => {
  await worker.put("a", "abcdefgh");
  await worker.put("b", "abcdefgh");
  worker.setBehaviour("down", /^a$/);
  expect(await json("/get?key=a")).toEqual({
    error: expect.stringMatching(/internal error.*\(10001\)/),
  });
  expect(await json("/get?key=b")).toMatchObject({ size: 8 });
  worker.setBehaviour("forbidden");
  expect(await json("/get?key=b")).toEqual({ error: expect.stringContaining("(10003)") });
});

test("stall and slow-body keep the client waiting, and ok brings the store back", async () => {
  await worker.put("a", "abcdefgh".repeat(10_000));
  worker.setBehaviour("stall");
  await expect(
    worker.fetch("/get?key=a", { signal: AbortSignal.timeout(1_000) }),
  ).rejects.toMatchObject({ name: "TimeoutError" });
  worker.setBehaviour("slow-body");
  const response = await worker.fetch("/stream?key=a", { signal: AbortSignal.timeout(5_000) });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toMatchObject({ name: "TimeoutError" });
  worker.setBehaviour("slow");
  const start = performance.now();
  expect(await json("/get?key=a")).toMatchObject({ size: 80_000 });
  expect(performance.now() - start).toBeGreaterThan(450);
});

test("garbage and truncate are healthy answers with damaged objects", async () => {
  const etag = (await worker.put("a", "abcdefgh".repeat(20_000))).slice(1, -1);
  worker.setBehaviour("garbage");
  expect(await json("/get?key=a")).toEqual({
    etag: expect.not.stringMatching(etag),
    size: 160_000,
    length: 160_000,
  });
  worker.setBehaviour("truncate");
  expect(await json("/get?key=a")).toEqual({
    etag: expect.not.stringMatching(etag),
    size: 80_000,
    length: 80_000,
  });
});

test("a restart is a fresh isolate over the same bucket", async () => {
  await worker.put("kept", "abc");
  await worker.fetch("/served");
  const { url } = worker;
  await worker.restart();
  expect(await json("/served")).toEqual({ served: 1, answer: "answer", colour: "green" });
  expect(await json("/get?key=kept")).toMatchObject({ size: 3 });
  expect(worker.url).toBe(url);
});

test("the plain store is the bucket itself", async () => {
  const plain = await startWorker({ directory, compatibilityDate: "2026-10-20", store: "plain" });
  try {
    await plain.put("a", "abc");
    expect(await (await plain.fetch("/get?key=a")).json()).toMatchObject({ size: 3 });
    expect(plain.storeRequests()).toEqual([]);
  } finally {
    await plain.stop();
  }
});
