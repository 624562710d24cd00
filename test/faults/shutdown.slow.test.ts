import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../fixtures");
/** Some tens of milliseconds. */
const ITERATIONS = 20_000;

let server: NodeServer;
afterEach(() => server.stop());

async function begin(env: Record<string, string>): Promise<void> {
  server = await startNodeServer({
    env: { STORE, MAX_QUEUE_MS: "60000", ...env },
    // Every accepted request is answered before that, also on a busy machine.
    stopLimitMs: 60_000,
  });
}

/** A kept connection. Requests are written to it unchanged. */
interface Client {
  /** Sends `count` requests and gives the statuses of their answers. */
  answers: (count: number) => Promise<string[]>;
  ask: () => void;
  socket: Socket;
}

async function open(): Promise<Client> {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString()));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  const body = JSON.stringify({ inputs: { iterations: [ITERATIONS] } });
  return {
    socket,
    ask: () =>
      socket.write(
        `POST /v1/models/slow/predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ),
    async answers(count) {
      while (statusesIn(received).length < count && !socket.closed) await sleep(5);
      return statusesIn(received);
    },
  };
}

function statusesIn(received: string): string[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code ?? "");
}

test.each(["0", "2"])(
  "SIGTERM under load loses no request with WORKERS=%s, and nobody new comes in",
  async (workers) => {
    await begin({ WORKERS: workers });
    const idle = await Promise.all(Array.from({ length: 8 }, open));
    for (const client of idle) client.ask();
    for (const client of idle) expect(await client.answers(1)).toEqual(["200"]);
    const busy = await Promise.all(Array.from({ length: 12 }, open));
    for (const client of busy) client.ask();
    const exit = server.stop();
    // These requests are running when the server is told to end.
    for (const client of idle) client.ask();
    const late = new Promise((resolve) => {
      const connection = setInterval(() => {
        const { hostname, port } = new URL(server.url);
        const socket = connect({ host: hostname, port: Number(port) });
        socket.on("connect", () => socket.destroy());
        socket.on("error", (error: NodeJS.ErrnoException) => {
          clearInterval(connection);
          resolve(error.code);
        });
      }, 10);
    });
    for (const client of busy) expect(await client.answers(1)).toEqual(["200"]);
    for (const client of idle) expect(await client.answers(2)).toEqual(["200", "200"]);
    expect(await late).toBe("ECONNREFUSED");
    expect(await exit).toBe(0);
  },
);

test("a burst that the process had not accepted at SIGTERM is answered", async () => {
  await begin({});
  const first = await open();
  first.ask();
  expect(await first.answers(1)).toEqual(["200"]);
  // The run blocks the event loop while the kernel takes the others' connections.
  first.ask();
  await sleep(5);
  const burst = await Promise.all(Array.from({ length: 20 }, open));
  for (const client of burst) client.ask();
  const exit = server.stop();
  for (const client of burst) expect(await client.answers(1)).toEqual(["200"]);
  expect(await exit).toBe(0);
});

test("a client that says nothing does not keep the process for longer than a request may take", async () => {
  await begin({ REQUEST_TIMEOUT_MS: "500" });
  await open();
  expect(await server.stop()).toBe(0);
});

const PROBES = ["/ready", "/v2/health/ready", "/ping"];

test("after SIGTERM the probes answer 503 first, and predictions are answered until the grace is over", async () => {
  await begin({ SHUTDOWN_GRACE_MS: "2000" });
  for (const path of PROBES) expect((await server.fetch(path)).status).toBe(200);
  const exit = server.stop();
  for (const path of PROBES)
    await expect.poll(async () => (await server.fetch(path)).status).toBe(503);
  const refused = (await (await server.fetch("/ready")).json()) as { code: string };
  expect(refused.code).toBe("shutting_down");
  expect((await server.fetch("/health")).status).toBe(200);
  const client = await open();
  client.ask();
  expect(await client.answers(1)).toEqual(["200"]);
  expect(await exit).toBe(0);
});

test("where nobody has asked for readiness, or at a second signal, the end does not wait", async () => {
  await begin({ SHUTDOWN_GRACE_MS: "86400000" });
  expect(await server.stop()).toBe(0);
  await begin({ SHUTDOWN_GRACE_MS: "86400000" });
  await server.fetch("/ready");
  const exit = server.stop();
  await expect.poll(async () => (await server.fetch("/ready")).status).toBe(503);
  process.kill(server.pid, "SIGINT");
  expect(await exit).toBe(0);
});

test("clients that open a connection for each request lose none at SIGTERM", async () => {
  const env = { STORE: join(import.meta.dirname, "../../models") };
  const lost: unknown[] = [];
  for (let tries = 0; tries < 3; tries++) {
    server = await startNodeServer({ env });
    const url = new URL("/health", server.url);
    let answered = 0;
    const ask = () =>
      new Promise<boolean>((resolve) => {
        const asked = get(url, { agent: false }, (answer) => {
          answered += 1;
          answer.on("error", (error) => lost.push(error));
          answer.resume().once("close", () => resolve(true));
        });
        asked.once("error", (error: NodeJS.ErrnoException) => {
          if (error.code !== "ECONNREFUSED") lost.push(error);
          resolve(error.code !== "ECONNREFUSED");
        });
      });
    const clients = Array.from({ length: 24 }, async () => {
      while (await ask());
    });
    await expect.poll(() => answered).toBeGreaterThan(200);
    expect(await server.stop()).toBe(0);
    await Promise.all(clients);
  }
  expect(lost).toEqual([]);
});
