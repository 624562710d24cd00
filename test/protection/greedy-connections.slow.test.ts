import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Agent, request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";

const CONNECTIONS = 40;
const FLOOD_MS = 5000;

const rows = `{"inputs":[${"[5.1,3.5,1.4,0.2],".repeat(40_000)}[1,2,3,4]]}`;
const post = (body: Buffer) =>
  Buffer.concat([
    Buffer.from(
      `POST /v1/models/iris/predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]);

const FLOODS = {
  "bodies of many rows": post(gzipSync(rows)),
  "small predictions": post(gzipSync('{"inputs":[5.1,3.5,1.4,0.2]}')),
  descriptions: Buffer.from("GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"),
};

/** How long an answer takes, in milliseconds. */
function ask(url: string, path: string, body?: Buffer): Promise<number> {
  const start = performance.now();
  const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
  return new Promise((resolve, reject) => {
    const asked = request(
      new URL(path, url),
      { agent: new Agent(), ...(body && { method: "POST", headers }) },
      (answer) => answer.resume().once("end", () => resolve(performance.now() - start)),
    );
    asked.once("error", reject).end(body);
  });
}

function part(times: number[], quantile: number): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * quantile)] ?? 0;
}

test.each(Object.entries(FLOODS))(
  "while connections flood the server with %s, a new one's health waits for a few of them",
  async (_name, flood) => {
    const server = await startNodeServer({
      env: { STORE: join(import.meta.dirname, "../../models"), ACCESS_LOG: "false" },
    });
    onTestFinished(async () => void (await server.stop()));
    const alone: number[] = [];
    for (let asked = 0; asked < 20; asked++)
      alone.push(await ask(server.url, "/v1/models/iris/predict", gzipSync(rows)));
    const costMs = part(alone, 0.5);
    const { port } = new URL(server.url);
    const times = Math.floor(4_000_000 / flood.length);
    const all = Buffer.concat(Array.from({ length: Math.min(times, 5000) }, () => flood));
    for (let opened = 0; opened < CONNECTIONS; opened++) {
      const socket = connect(Number(port), "localhost");
      socket.on("error", () => undefined).resume();
      socket.write(all);
      onTestFinished(() => void socket.destroy());
    }
    // Each read of 64 KiB is parsed as a whole, and all connections have their first one now.
    await sleep(2000);
    const waits: number[] = [];
    const end = performance.now() + FLOOD_MS;
    while (performance.now() < end) {
      waits.push(await ask(server.url, "/health"));
      await sleep(5);
    }
    // In a turn of the event loop for all connections it would be 100 times and more.
    expect(part(waits, 0.5), `${waits.length} asked`).toBeLessThan(5 * costMs);
    expect(part(waits, 0.95)).toBeLessThan(15 * costMs);
  },
  60_000,
);
