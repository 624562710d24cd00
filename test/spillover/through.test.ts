import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { defineDialect } from "../../functions/dialects/define.ts";
import { answerJson } from "../../functions/http/answer.ts";
import { type AppEnv, callOf } from "../../functions/http/exchange.ts";
import { identify } from "../../functions/http/identify.ts";
import { signSpilled } from "../../functions/spillover/token.ts";
import { deploy, SECRET, served, SMALL_MB, useServed } from "./deployments.ts";

const FLOWER = JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] });
const PATH = "/v1/models/iris/predict";

const flowers = defineDialect({
  name: "flowers",
  paths: ["/flowers"],
  routes: ({ predict }) =>
    new Hono<AppEnv>().get("/flowers", async (c) => {
      const call = { ...callOf(c), model: "iris", inputs: [5.1, 3.5, 1.4, 0.2] };
      const { manifest, outputs } = await predict(call);
      identify(c, manifest);
      return answerJson(c, outputs);
    }),
});

type Fields = Record<string, string>;
interface Sent {
  method?: string;
  path?: string;
  headers?: Fields;
  body?: string | Buffer;
}

const keep = useServed();
let [region, edge] = ["", ""];
/** The requests that the region got. */
let seen: { method: string | undefined; headers: Fields }[] = [];

beforeAll(async () => {
  const options = { dialects: [flowers] };
  const answer = getRequestListener(deploy({ SPILL_SECRET: SECRET }, options).fetch);
  region = await keep(
    served((incoming, response) => {
      seen.push({ method: incoming.method, headers: incoming.headers as Fields });
      void answer(incoming, response);
    }),
  );
  const spills = { SPILL_URL: region, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
  edge = await keep(served(getRequestListener(deploy(spills, options).fetch)));
});
beforeEach(() => void (seen = []));

/** `fetch` sends no fields of the connection, and decodes answers. */
function send(url: string, { method = "POST", path = PATH, headers = {}, body = FLOWER }: Sent) {
  return new Promise<{ status: number | undefined; headers: Fields; text: string }>(
    (resolve, reject) => {
      const sent = { method, headers: { "Content-Type": "application/json", ...headers } };
      const client = request(url + path, sent, async (answer) => {
        const text = Buffer.concat(await answer.toArray()).toString();
        resolve({ status: answer.statusCode, headers: answer.headers as Fields, text });
      });
      client.on("error", reject).end(method === "POST" ? body : undefined);
    },
  );
}

test("a client's own signature is no caller's, whatever it says", async () => {
  const claims = { caller: "admin", model: "iris", version: "1", digest: "0", body: "" };
  const target = { method: "POST", path: PATH, search: "" };
  const guessed = `${SECRET} or not`;
  const token = await signSpilled({ ...claims, reason: "stable" }, target, guessed);
  for (const own of ["x", token])
    expect((await send(edge, { headers: { "X-Nearcast-Spill": own } })).status).toBe(401);
  expect(seen).toEqual([]);
});

test("fields of the connection and of spillover are the edge's own", async () => {
  const headers = {
    Connection: "keep-alive, X-Nearcast-Spill, X-Request-Timeout-Ms, X-Hop",
    TE: "trailers",
    "Proxy-Authorization": "Basic eDp5",
    "X-Hop": "1",
    "X-Nearcast-Spillover": "region",
    "X-Nearcast-Error": "overloaded",
    Range: "bytes=0-1",
    "If-None-Match": "*",
  };
  const answer = await send(edge, { headers });
  expect(answer.status).toBe(200);
  const [{ headers: got } = { headers: {} }] = seen;
  for (const name of ["te", "proxy-authorization", "x-hop", "range", "if-none-match"])
    expect(got, name).not.toHaveProperty(name);
  expect(Object.keys(got).filter((name) => name.startsWith("x-nearcast-"))).toEqual([
    "x-nearcast-spill",
  ]);
  expect(answer.headers).not.toHaveProperty("x-nearcast-error");
});

test("HEAD has the fields of GET, and no body", async () => {
  const get = await send(edge, { method: "GET", path: "/flowers" });
  const head = await send(edge, { method: "HEAD", path: "/flowers" });
  expect([get.status, head.status, head.text]).toEqual([200, 200, ""]);
  expect(JSON.parse(get.text)).toMatchObject({ label: "setosa" });
  for (const name of ["content-type", "x-model-digest", "x-nearcast-spillover"])
    expect(head.headers[name], name).toBe(get.headers[name]);
  expect(seen.map(({ method }) => method)).toEqual(["GET", "HEAD"]);
});

test("a compressed body goes on as it came, and the answer comes without compression", async () => {
  const body = gzipSync(FLOWER);
  const headers = { "Content-Encoding": "gzip", "Accept-Encoding": "gzip" };
  const through = await send(edge, { headers, body });
  expect(through.status).toBe(200);
  expect(through.text).toBe((await send(region, {})).text);
  expect(through.headers).not.toHaveProperty("content-encoding");
  expect(seen[0]?.headers).toMatchObject({
    "content-encoding": "gzip",
    "content-length": String(body.byteLength),
    "accept-encoding": "identity",
  });
});
