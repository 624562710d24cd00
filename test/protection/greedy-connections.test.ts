import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { beginPost } from "../harness/unfinished-post.ts";

const MODELS = join(import.meta.dirname, "../../models");
const MIB = 1024 * 1024;

async function begin(env: Record<string, string> = {}, openFiles?: number): Promise<NodeServer> {
  const server = await startNodeServer({
    env: { STORE: MODELS, ACCESS_LOG: "false", ...env },
    ...(openFiles !== undefined && { openFiles }),
  });
  onTestFinished(async () => void (await server.stop()));
  return server;
}

async function open({ url }: NodeServer): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  onTestFinished(() => void socket.destroy());
  return socket;
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** The most bytes that the process ever held in memory. */
function peakBytes({ pid }: NodeServer): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

test("requests sent without waiting for answers are answered one by one, whatever is not read", async () => {
  const server = await begin();
  await (await server.fetch("/docs/swagger-ui-bundle.js")).text();
  const before = peakBytes(server);
  const sockets = await Promise.all(Array.from({ length: 4 }, () => open(server)));
  for (const socket of sockets) {
    socket.pause();
    socket.write(get("/docs/swagger-ui-bundle.js").repeat(1100));
  }
  for (let asked = 0; asked < 20; asked++) {
    expect((await server.fetch("/health")).status).toBe(200);
    await sleep(20);
  }
  // All the answers would be 6 GB.
  expect(peakBytes(server) - before).toBeLessThan(150 * MIB);
});

test("requests of one connection are answered in order, those with bodies too", async () => {
  const server = await begin();
  const socket = await open(server);
  const body = '{"inputs":[5.1,3.5,1.4,0.2]}';
  const post = `POST /v1/models/iris/predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  const count = 500;
  socket.write((get("/health") + post + get("/none")).repeat(count));
  const statuses = () => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  await expect.poll(() => statuses().length).toBe(count * 3);
  expect(statuses()).toEqual(Array.from({ length: count }, () => ["200", "200", "404"]).flat());
});

test("a client that does not read its answer is closed after the time of a request", async () => {
  const server = await begin({ REQUEST_TIMEOUT_MS: "300" });
  const socket = await open(server);
  socket.pause();
  socket.write(get("/docs/swagger-ui-bundle.js").repeat(20));
  await sleep(2000);
  let received = 0;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("data", (chunk: Buffer) => (received += chunk.length));
  socket.resume();
  await closed;
  // Of 29 MB it gets what the system's buffers held.
  expect(received).toBeLessThan(20 * MIB);
});

test("unread answers of all connections are bounded: the longest unread are closed", async () => {
  const server = await begin({ BODY_BUDGET_MB: "3" });
  const sockets = await Promise.all(Array.from({ length: 12 }, () => open(server)));
  let closed = 0;
  for (const socket of sockets) {
    socket.pause();
    socket.on("close", () => (closed += 1));
    socket.write(get("/docs/swagger-ui-bundle.js").repeat(20));
  }
  await sleep(500);
  for (const socket of sockets.slice(0, 6)) socket.resume();
  await expect.poll(() => closed).toBeGreaterThan(0);
  expect((await server.fetch("/health")).status).toBe(200);
});

test.skipIf(!hasSqlite)(
  "files that are downloaded and not read hold no more than the budget",
  async () => {
    const server = await begin({ BODY_BUDGET_MB: "8" });
    const form = new FormData();
    form.append("purpose", "batch");
    form.append("file", new Blob([Buffer.alloc(16 * MIB, '{"custom_id":"a"}\n')]), "a.jsonl");
    const uploaded = await server.fetch("/v1/files", { method: "POST", body: form });
    const { id } = (await uploaded.json()) as { id: string };
    const before = peakBytes(server);
    const sockets = await Promise.all(Array.from({ length: 200 }, () => open(server)));
    const begun = sockets.map(
      (socket) => new Promise((resolve) => socket.once("readable", resolve)),
    );
    for (const socket of sockets) socket.write(get(`/v1/files/${id}/content`));
    await Promise.all(begun);
    await sleep(300);
    // With parts of 4 MiB it would be 1.2 GiB.
    expect(peakBytes(server) - before).toBeLessThan(500 * MIB);
    expect((await server.fetch("/health")).status).toBe(200);
  },
);

test("bodies that arrive slowly hold no more than the budget, and the oldest make room", async () => {
  const server = await begin({ BODY_BUDGET_MB: "12", MAX_BODY_BYTES: String(6 * MIB) });
  const url = new URL("/v1/models/iris/predict", server.url);
  const length = 5 * MIB;
  const part = `{"inputs":[${" ".repeat(4 * MIB)}`;
  const before = peakBytes(server);
  // 0: refused and closed while the client was still sending.
  const statuses: number[] = [];
  const posts = Array.from({ length: 30 }, () =>
    beginPost(url, part, { "Content-Length": String(length) }),
  );
  for (const { status } of posts) void status.catch(() => 0).then((code) => statuses.push(code));
  await expect.poll(() => statuses.length).toBeGreaterThanOrEqual(28);
  expect(statuses.filter((status) => ![0, 408, 503].includes(status))).toEqual([]);
  // All would be 120 MiB.
  expect(peakBytes(server) - before).toBeLessThan(90 * MIB);
  const small = await server.fetch(url.pathname, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"inputs":[5.1,3.5,1.4,0.2]}',
  });
  expect(small.status).toBe(200);
  await sleep(1000);
  const late = beginPost(url, part, { "Content-Length": String(length) });
  late.status.catch(() => undefined);
  await expect.poll(() => statuses).toContain(408);
  for (const { leave } of [...posts, late]) leave();
});

test.each(["idle", "silent"])(
  "connections that are %s make room when files run out",
  async (kind) => {
    const server = await begin({}, 256);
    const sockets: Socket[] = [];
    for (let opened = 0; opened < 300; opened++) {
      const socket = await open(server);
      socket.resume();
      if (kind === "idle") socket.write(get("/health"));
      sockets.push(socket);
    }
    const start = performance.now();
    expect((await server.fetch("/health")).status).toBe(200);
    // Node itself closes idle connections after 6 s, silent ones after a minute.
    expect(performance.now() - start).toBeLessThan(4000);
    // The newest are still there.
    expect(sockets.slice(-50).every(({ closed }) => !closed)).toBe(true);
  },
);
