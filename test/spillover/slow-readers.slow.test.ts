import { readFile } from "node:fs/promises";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { SECRET, served, SMALL_MB } from "./deployments.ts";

const MIB = 1024 * 1024;
const READERS = 32;
const ANSWER_BYTES = 24 * MIB;
/** Pieces of an answer on their way, a socket's own memory, and what waits for a collection. */
const MOST_HELD = 2 * MIB;

const { artifact } = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as Manifest;
const piece = Buffer.alloc(64 * 1024, "x");

/** Sends a long answer no faster than it is taken. */
function answerLong(response: ServerResponse, sent: (bytes: number) => void): void {
  let left = ANSWER_BYTES;
  response.writeHead(200, { "X-Model-Digest": `sha256:${artifact.sha256}` });
  const send = () => {
    while (left > 0) {
      left -= piece.byteLength;
      sent(piece.byteLength);
      if (!response.write(piece)) return void response.once("drain", send);
    }
    response.end();
  };
  send();
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function readAll(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const part of answer) bytes += (part as Buffer).byteLength;
  return bytes;
}

test("clients that do not read hold up the region, and an edge holds no more than pieces", async () => {
  let sent = 0;
  const region = await served((incoming, response) => {
    incoming.resume().on("end", () => answerLong(response, (bytes) => void (sent += bytes)));
  });
  const edge = await startNodeServer({
    env: { SPILL_URL: region.url, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB },
  });
  onTestFinished(async () => {
    await edge.stop();
    await region.close();
  });
  const begin = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { "Content-Type": "application/json" };
      const url = new URL("/v1/models/iris/predict", edge.url);
      const client = request(url, { method: "POST", headers, agent: false }, (answer) =>
        resolve(answer.pause()),
      );
      client.on("error", reject).end('{"inputs": [5.1, 3.5, 1.4, 0.2]}');
    });
  // Its code is loaded, and its heap has grown, before anything is measured.
  for (let turn = 0; turn < 3; turn++) expect(await readAll(await begin())).toBe(ANSWER_BYTES);

  const before = await residentBytes(edge.pid);
  sent = 0;
  const waiting = await Promise.all(Array.from({ length: READERS }, begin));
  expect(waiting.map(({ statusCode }) => statusCode)).toEqual(Array(READERS).fill(200));
  for (let known = -1; known < sent;) {
    known = sent;
    await sleep(500);
  }
  // The system's own buffers are the rest.
  expect(sent).toBeLessThan(0.75 * READERS * ANSWER_BYTES);
  const held = (await residentBytes(edge.pid)) - before;
  expect(held).toBeLessThan(READERS * MOST_HELD);

  expect(await Promise.all(waiting.map(readAll))).toEqual(Array(READERS).fill(ANSWER_BYTES));
}, 60_000);
