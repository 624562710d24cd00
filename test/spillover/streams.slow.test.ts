import { readFile } from "node:fs/promises";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { targets, type Target } from "../harness/targets.ts";
import { SECRET, served, SMALL_MB, type Served } from "./deployments.ts";

const PATH = "/v1/models/iris/predict";
const FLOWER = '{"inputs": [5.1, 3.5, 1.4, 0.2]}';
const EVENTS = ["data: setosa\n\n", ": a comment, ü\n\n", "data: [DONE]\n\n"];
const PIECE = Buffer.alloc(64 * 1024, "x");
const LONG_BYTES = 64 * 1024 * 1024;
const { artifact } = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as Manifest;
const HEAD = {
  "Content-Type": "text/event-stream",
  "X-Model-Digest": `sha256:${artifact.sha256}`,
};

// An edge before a region whose answers the test sends piece by piece.
describe.each(["worker", "node"] as const)("an edge on %s", (name) => {
  let edge: Target;
  let region: Served;
  let act: (response: ServerResponse, request: IncomingMessage) => void;
  let [asked, ended] = [0, 0];

  beforeAll(async () => {
    region = await served((incoming, response) => {
      asked += 1;
      response.on("close", () => (ended += response.writableFinished ? 0 : 1));
      incoming.resume().on("end", () => act(response, incoming));
    });
    edge = await start();
  });
  beforeEach(() => {
    [asked, ended] = [0, 0];
  });
  afterAll(async () => {
    await edge.stop();
    await region.close();
  });

  const start = (env: Record<string, string> = {}) =>
    targets[name]({
      env: {
        SPILL_URL: region.url,
        SPILL_SECRET: SECRET,
        SESSION_BUDGET_MB: SMALL_MB,
        MAX_CONCURRENCY: "6",
        REQUEST_TIMEOUT_MS: "3000",
        PREDICTION_CACHE_TTL_SECONDS: "60",
        ...env,
      },
    });

  /** A client that can leave at once: workerd on Linux sees a reset, but not that a client only sends no more. */
  function begin(url = edge.url) {
    const headers = { "Content-Type": "application/json" };
    const client = request(new URL(PATH, url), { method: "POST", headers });
    const answer = new Promise<IncomingMessage>((resolve, reject) =>
      client.on("response", resolve).on("error", reject),
    );
    answer.catch(() => undefined);
    client.end(FLOWER);
    return { answer, leave: () => client.socket?.resetAndDestroy() };
  }

  const status = async (url?: string) => {
    const answer = await begin(url).answer;
    answer.on("error", () => undefined).resume();
    return answer.statusCode;
  };

  test("passes pieces on when they come, byte for byte, and keeps none of them", async () => {
    for (let turn = 1; turn <= 2; turn++) {
      let send: ((event?: string) => void) | undefined;
      act = (response) => {
        response.writeHead(200, HEAD);
        send = (event) => void (event === undefined ? response.end() : response.write(event));
        send(EVENTS[0]);
      };
      const answer = await begin().answer;
      expect(answer.headers).toMatchObject({
        "content-type": "text/event-stream",
        "x-nearcast-spillover": "region",
        "cache-status": expect.stringContaining("fwd=request"),
      });
      // The region sends a piece only once the client has the one before.
      let text = "";
      let next = 1;
      for await (const piece of answer.setEncoding("utf8")) {
        text += String(piece);
        expect(EVENTS.slice(0, next).join("").startsWith(text)).toBe(true);
        if (text === EVENTS.slice(0, next).join("")) send?.(EVENTS[next++]);
      }
      expect(text).toBe(EVENTS.join(""));
      expect(asked).toBe(turn);
    }
  });

  test("a client that does not read holds up the region, and then gets every byte", async () => {
    let sent = 0;
    act = (response) => {
      response.writeHead(200, HEAD);
      const send = () => {
        while (sent < LONG_BYTES) {
          sent += PIECE.byteLength;
          if (!response.write(PIECE)) return void response.once("drain", send);
        }
        response.end();
      };
      send();
    };
    const patient = await start({ REQUEST_TIMEOUT_MS: "60000" });
    onTestFinished(patient.stop);
    const answer = (await begin(patient.url).answer).pause();
    for (let known = -1; known < sent;) {
      known = sent;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    // Sockets hold some MiB on each way.
    expect(sent).toBeLessThan(LONG_BYTES / 2);
    let bytes = 0;
    for await (const part of answer) bytes += (part as Buffer).byteLength;
    expect([bytes, sent]).toEqual([LONG_BYTES, LONG_BYTES]);
  });

  test("ends its request to the region when the client leaves in the middle", async () => {
    act = (response) => {
      response.writeHead(200, HEAD);
      response.write(EVENTS[0]);
    };
    const { answer, leave } = begin();
    (await answer).once("error", () => undefined).once("data", leave);
    await expect.poll(() => ended).toBe(1);
  });

  // workerd drops what works for them, and tells nobody.
  test("clients that leave have the places of others until their deadlines at most", async () => {
    act = () => undefined;
    for (let client = 1; client <= 3; client++) {
      await expect
        .poll(async () => {
          const { leave } = begin();
          await new Promise((resolve) => setTimeout(resolve, 100));
          leave();
          return asked;
        })
        .toBeGreaterThanOrEqual(client);
    }
    act = (response) => response.writeHead(200, HEAD).end(EVENTS[0]);
    await expect.poll(() => status()).toBe(200);
  });

  test("an answer that breaks off breaks off for the client too, and counts against the region", async () => {
    act = (response) => {
      response.writeHead(200, HEAD);
      response.write(EVENTS[0], () => response.destroy());
    };
    // The breaker of an edge of its own counts these failures alone.
    const { url, logs, stop } = await start();
    onTestFinished(stop);
    for (let turn = 0; turn < 5; turn++) {
      const answer = await begin(url).answer;
      expect(answer.statusCode).toBe(200);
      await expect(answer.toArray()).rejects.toThrow("aborted");
    }
    expect(await status(url)).toBe(503);
    expect(asked).toBe(5);
    expect(logs()).toContain("did not arrive whole");
  });
});
