import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { beginPost } from "../harness/unfinished-post.ts";

const IRIS = "/v1/models/iris/predict";
const FLOWER = '{"inputs":[5.1,3.5,1.4,0.2]}';

const free = apiKey("free");
const spent = apiKey("spent", { rate: "1/86400s" });
const reader = apiKey("reader", { scopes: ["read"] });

/** The address of the client, as the proxy in front of the server names it. */
const from = (address: string) => ({ "X-Forwarded-For": address });
const guesser = from("192.0.2.9");
const tooLong = { "Content-Length": "9000000" };
const odd = { "X-Request-Timeout-Ms": "soon" };

let server: NodeServer;
let closed: NodeServer;
beforeAll(async () => {
  [server, closed] = await Promise.all([
    startNodeServer({
      env: {
        API_KEYS: keyList(free, spent, reader),
        RATE_LIMIT: "100/86400s",
        TRUST_PROXY: "1",
        MAX_CONCURRENCY: "1",
        REQUEST_TIMEOUT_MS: "20000",
      },
    }),
    startNodeServer({ env: { TRUST_PROXY: "1" } }),
  ]);
  expect(await answered(bearer(spent.key), FLOWER)).toBe(200);
  for (let tries = 0; tries < 100; tries++)
    await server.fetch("/v1/models", { headers: { ...guesser, ...bearer("wrong") } });
});
afterAll(() => Promise.all([server?.stop(), closed?.stop()]));

async function answered(headers: Record<string, string>, body: string): Promise<number> {
  const answer = await server.fetch(IRIS, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body,
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** The status of a request that is answered before its body has come. */
async function beforeBody(headers: Record<string, string>, of = server): Promise<number> {
  const post = beginPost(new URL(IRIS, of.url), "{", headers);
  try {
    return await post.status;
  } finally {
    post.leave();
  }
}

// Each row also has the faults of the rows below it. The first refusal is the answer.
test("before a body is read: who asks, how often, how much at once, and how long it is", async () => {
  expect(await beforeBody({ ...tooLong, ...odd, ...bearer(free.key) }, closed)).toBe(503);
  expect(await beforeBody({ ...tooLong, ...odd, ...guesser })).toBe(429);
  expect(await beforeBody({ ...tooLong, ...odd })).toBe(401);
  expect(await beforeBody({ ...tooLong, ...odd, ...bearer("wrong") })).toBe(401);
  expect(await beforeBody({ ...tooLong, ...odd, ...bearer(spent.key) })).toBe(429);
  expect(await beforeBody({ ...tooLong, ...odd, ...bearer(free.key) })).toBe(400);
  const first = beginPost(new URL(IRIS, server.url), "{", bearer(free.key));
  await expect
    .poll(() => beforeBody({ ...tooLong, ...bearer(free.key) }), { timeout: 900 })
    .toBe(503);
  first.finish(FLOWER.slice(1));
  expect(await first.status).toBe(200);
  expect(await beforeBody({ ...tooLong, ...bearer(free.key) })).toBe(413);
});

test("a body is read before a model is looked for, and a caller before the body is understood", async () => {
  expect(await answered(bearer(free.key), "{")).toBe(400);
  expect(await answered(bearer(reader.key), FLOWER)).toBe(403);
});

test("every request leaves one line: refused, damaged, cut off, timed out, or one of many on a connection", async () => {
  const ids: Record<string, number> = {};
  const send = (id: string, status: number, head: string, body = "") => {
    ids[id] = status;
    const lines = [head, "Host: a", `X-Request-Id: ${id}`, `Content-Length: ${body.length}`];
    return exchange(server, `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n${body}`);
  };
  const post = `POST ${IRIS} HTTP/1.1\r\nContent-Type: application/json`;
  const keyed = `${post}\r\nAuthorization: Bearer ${free.key}`;
  await send("health", 200, "GET /health HTTP/1.1");
  await send("page", 200, "GET /docs HTTP/1.1");
  await send("options", 401, `OPTIONS ${IRIS} HTTP/1.1`);
  await send("nowhere", 401, "DELETE /nowhere HTTP/1.1");
  await send("no-key", 401, post, FLOWER);
  await send("spent", 429, `${post}\r\nAuthorization: Bearer ${spent.key}`, FLOWER);
  await send("guesser", 429, `${post}\r\nX-Forwarded-For: 192.0.2.9`, FLOWER);
  await send("broken", 400, keyed, "{");
  await send("damaged", 400, `${keyed}\r\nContent-Encoding: gzip`, FLOWER);
  await send("odd", 400, `${keyed}\r\nX-Request-Timeout-Ms: soon`, FLOWER);
  ids["cut"] = 400;
  await exchange(
    server,
    `${keyed}\r\nHost: a\r\nX-Request-Id: cut\r\nContent-Length: 5000\r\n\r\n{`,
    { leaveAfterMs: 100 },
  );
  // It keeps its place until it is known that the rest will not come.
  ids["late"] = 504;
  await exchange(
    server,
    `${keyed}\r\nHost: a\r\nX-Request-Id: late\r\nX-Request-Timeout-Ms: 50\r\nContent-Length: 5000\r\n\r\n{`,
    { leaveAfterMs: 400 },
  );
  const many = Array.from({ length: 20 }, (_, index) => {
    ids[`many-${index}`] = 200;
    return `GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: many-${index}\r\n\r\n`;
  });
  const last = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  await exchange(server, many.join("") + last);

  const expected = Object.entries(ids).map(([id, status]) => `${id} ${status}`);
  const lines = () =>
    server.logs
      .split("\n")
      .filter((line) => line.includes('"message":"request"'))
      .map((line) => JSON.parse(line) as { requestId: string; status: number })
      .filter(({ requestId }) => requestId in ids)
      .map(({ requestId, status }) => `${requestId} ${status}`);
  await expect.poll(lines).toEqual(expect.arrayContaining(expected));
  expect(lines()).toHaveLength(expected.length);
});

/** Sends bytes on a new connection and waits for its end. */
async function exchange(
  { url }: NodeServer,
  bytes: string,
  { leaveAfterMs }: { leaveAfterMs?: number } = {},
): Promise<void> {
  const socket = connect(Number(new URL(url).port), "localhost");
  socket.on("error", () => undefined);
  socket.write(bytes);
  if (leaveAfterMs !== undefined) setTimeout(() => socket.destroy(), leaveAfterMs);
  await text(socket).catch(() => undefined);
}
