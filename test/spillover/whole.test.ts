import { readFile } from "node:fs/promises";
import type { LambdaEvent } from "hono/aws-lambda";
import { Hono } from "hono";
import { afterEach, expect, test, vi } from "vitest";
import { defineDialect, type Dialect } from "../../functions/dialects/define.ts";
import { answerJson } from "../../functions/http/answer.ts";
import { readBody } from "../../functions/http/body.ts";
import { type AppEnv, callOf } from "../../functions/http/exchange.ts";
import { identify } from "../../functions/http/identify.ts";
import { createHandler } from "../../functions/lambda.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { deployEdge, SECRET, served, serveRegion, SMALL_MB, useServed } from "./deployments.ts";

const FLOWER = '{"inputs": [5.1, 3.5, 1.4, 0.2]}';
const PATH = "/v1/models/iris/predict";
const { artifact } = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as Manifest;
const HEAD = { "X-Model-Digest": `sha256:${artifact.sha256}` };
const keep = useServed();

afterEach(() => void vi.unstubAllEnvs());

interface Asked {
  env?: Record<string, string>;
  method?: string;
  path?: string;
  dialects?: Dialect[];
}

/** What a Lambda function that is an edge gives its gateway. */
async function askLambda(
  url: string,
  { env = {}, method = "POST", path = PATH, dialects = [] }: Asked = {},
) {
  const all = {
    STORE: "models",
    AUTH: "none",
    ACCESS_LOG: "false",
    SPILL_URL: url,
    SPILL_SECRET: SECRET,
    SESSION_BUDGET_MB: SMALL_MB,
    ...env,
  };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const handler = createHandler({ dialects });
  await handler.ready;
  return handler({
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { "content-type": "application/json" },
    requestContext: { http: { method, path }, domainName: "api.example.com" },
    body: FLOWER,
    isBase64Encoded: false,
  } as unknown as LambdaEvent);
}

test("a Lambda function answers what the region answers, as text where it is text", async () => {
  const answer = await askLambda(await keep(serveRegion({ DEFAULT_MODEL: "iris" })));
  expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false });
  expect(JSON.parse(answer.body)).toMatchObject({ outputs: { label: "setosa" } });
});

test("an answer that breaks off is 503 on Lambda, which cannot break off its own", async () => {
  const url = await keep(
    served((_request, response) => {
      response.writeHead(200, { ...HEAD, "Content-Type": "application/json" });
      response.write("{", () => response.destroy());
    }),
  );
  const answer = await askLambda(url);
  expect(answer.statusCode).toBe(503);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "region_unavailable" });
});

test("an answer that is longer than Lambda takes is refused", async () => {
  const url = await keep(
    served((_request, response) => void response.writeHead(200, HEAD).end("x".repeat(2000))),
  );
  const answer = await askLambda(url, { env: { MAX_ANSWER_BYTES: "1000" } });
  expect(JSON.parse(answer.body)).toMatchObject({ code: "answer_too_large" });
});

test("of an answer that never ends, a Lambda function reads no more than it may give", async () => {
  const piece = Buffer.alloc(64 * 1024);
  let sent = 0;
  let isLeft = false;
  const url = await keep(
    served((_request, response) => {
      response.writeHead(200, HEAD).on("close", () => (isLeft = true));
      const send = () => {
        while (!response.destroyed && response.write(piece)) sent += piece.byteLength;
      };
      response.on("drain", send);
      send();
    }),
  );
  const env = { MAX_ANSWER_BYTES: "1000000", REQUEST_TIMEOUT_MS: "4000" };
  const answer = await askLambda(url, { env });
  expect([answer.statusCode, JSON.parse(answer.body)]).toMatchObject([
    507,
    { code: "answer_too_large" },
  ]);
  await vi.waitFor(() => expect(isLeft).toBe(true));
  // What sockets hold on the way is beyond it.
  expect(sent).toBeLessThan(16 * 1024 * 1024);
});

test.each([204, 205])("an answer without a body is passed on: %i", async (status) => {
  const url = await keep(
    served((_request, response) => void response.writeHead(status, HEAD).end()),
  );
  const headers = { "Content-Type": "application/json" };
  const answer = await deployEdge(url).request(PATH, { method: "POST", headers, body: FLOWER });
  expect([answer.status, await answer.text()]).toEqual([status, ""]);
  expect(answer.headers.get("x-model-version")).toBe("1");
  expect(await askLambda(url)).toMatchObject({ statusCode: status, body: "" });
});

test("a GET with a body is answered where the model fits, and otherwise refused: no runtime sends one on", async () => {
  const flowers = defineDialect({
    name: "flowers",
    paths: ["/flowers"],
    routes: ({ predict }) =>
      new Hono<AppEnv>().get("/flowers", async (c) => {
        const body = await readBody(c, { maxBytes: 100, now: undefined });
        const { inputs } = JSON.parse(new TextDecoder().decode(body)) as { inputs: unknown };
        const { manifest, outputs } = await predict({ ...callOf(c), model: "iris", inputs });
        identify(c, manifest);
        return answerJson(c, outputs);
      }),
  });
  let asked = 0;
  const url = await keep(serveRegion({}, () => void (asked += 1)));
  const sent = { method: "GET", path: "/flowers", dialects: [flowers] };
  const here = await askLambda(url, { ...sent, env: { SESSION_BUDGET_MB: "64" } });
  expect(JSON.parse(here.body)).toMatchObject({ label: "setosa" });
  const { statusCode, body } = await askLambda(url, sent);
  expect([statusCode, JSON.parse(body)]).toMatchObject([400, { code: "malformed_request" }]);
  expect(asked).toBe(0);
});
