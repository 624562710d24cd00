import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Hono } from "hono";
import { defineDialect } from "../../functions/dialects/define.ts";
import { answerJson } from "../../functions/http/answer.ts";
import { readBody } from "../../functions/http/body.ts";
import { type AppEnv, callOf } from "../../functions/http/exchange.ts";
import { identify } from "../../functions/http/identify.ts";
import { parseRelease } from "../../functions/model/release.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { releaseVersion } from "../../cli/releases.ts";
import { copyIris, deploy, deployEdge, SECRET, serveRegion, type Served } from "./deployments.ts";

const PATH = "/v1/models/iris/predict";
/** A port on which nothing listens. */
const NOWHERE = "http://127.0.0.1:9";

type App = ReturnType<typeof deployEdge>;

let folder: string;
/** So many MiB that version 1 fits, and version 2, of three bytes more, does not. */
let SESSION_BUDGET_MB: string;
let region: Served;
/** What becomes of the requests to the region, in turn; later ones are answered. */
let fates: ("hangs" | "is cut")[] = [];
let asked = 0;
/** How many of those that hang were ended by the edge. */
let ended = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-while-down-"));
  await copyIris(folder, "1");
  await copyIris(folder, "2", { isOther: true });
  await writeFile(join(folder, "iris/release.json"), '{"stable": "1"}');
  const note = { by: "test", fallback: "1" };
  await releaseVersion(createFolderStore(folder), "iris", "2", note);
  const { size } = await stat(join(folder, "iris/1/model.onnx"));
  SESSION_BUDGET_MB = String((size + 1) / 1024 / 1024);
  region = await serveRegion({ STORE: folder }, (request) => {
    asked += 1;
    const fate = fates.shift();
    if (fate === "hangs") request.socket.once("close", () => (ended += 1));
    if (fate === "is cut") request.socket.destroy();
    return fate === undefined;
  });
});
afterAll(async () => {
  await region.close();
  await rm(folder, { recursive: true });
});

const edgeOf = (url: string, env: Record<string, string> = {}) =>
  deployEdge(url, { STORE: folder, SESSION_BUDGET_MB, ...env });

async function ask(app: App, { path = PATH, inputs = [5.1, 3.5, 1.4, 0.2], headers = {} } = {}) {
  const answer = await app.request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ inputs }),
  });
  const { headers: fields, status } = answer;
  return {
    status,
    text: await answer.text(),
    version: fields.get("x-model-version"),
    assignment: fields.get("x-model-assignment"),
    spillover: fields.get("x-nearcast-spillover"),
    cache: fields.get("cache-status"),
    quota: fields.get("ratelimit"),
  };
}

test("the smaller version answers while the region does not, and says so", async () => {
  const env = { RATE_LIMIT: "10/60s" };
  const meanwhile = await ask(edgeOf(NOWHERE, env));
  expect(meanwhile).toMatchObject({
    status: 200,
    version: "1",
    assignment: "fallback",
    spillover: "fallback",
  });
  expect(JSON.parse(meanwhile.text)).toMatchObject({ version: "1", outputs: { label: "setosa" } });
  // The caller pays once.
  expect(meanwhile.quota).toMatch(/r=9;/);
  expect(await ask(edgeOf(region.url))).toMatchObject({ version: "2", spillover: "region" });
});

test("a version that the caller named has no fallback", async () => {
  const named = { path: "/v1/models/iris/versions/2/predict" };
  expect((await ask(edgeOf(NOWHERE), named)).status).toBe(503);
});

test("a GET whose route reads its body is answered by the smaller version too", async () => {
  const flowers = defineDialect({
    name: "flowers",
    paths: ["/flowers"],
    routes: ({ predict }) =>
      new Hono<AppEnv>().get("/flowers", async (c) => {
        const body = await readBody(c, { maxBytes: 100, now: undefined });
        const inputs = body.byteLength > 0 ? [] : [5.1, 3.5, 1.4, 0.2];
        const { manifest, outputs, record } = await predict({
          ...callOf(c),
          model: "iris",
          inputs,
        });
        identify(c, manifest, record);
        return answerJson(c, outputs);
      }),
  });
  const spills = { SPILL_URL: NOWHERE, SPILL_SECRET: SECRET, SESSION_BUDGET_MB };
  const edge = deploy({ STORE: folder, ...spills }, { dialects: [flowers] });
  const answer = await edge.request("/flowers");
  expect(answer.headers.get("x-nearcast-spillover")).toBe("fallback");
  expect(await answer.json()).toMatchObject({ label: "setosa" });
});

test("without a fallback that answers, the region's failure is told", async () => {
  const tiny = { SESSION_BUDGET_MB: "0.01" };
  const answer = await ask(edgeOf(NOWHERE, tiny));
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    503,
    { code: "region_unavailable" },
  ]);
});

test("a release without the field, or with a wrong one, is read as before", () => {
  expect(parseRelease('{"stable": "1"}')).not.toHaveProperty("fallback");
  expect(parseRelease('{"stable": "1", "fallback": 5}').stable).toBe("1");
});

test("answers are kept at the edge where the model's answers are kept", async () => {
  const edge = edgeOf(region.url, { PREDICTION_CACHE_TTL_SECONDS: "60" });
  asked = 0;
  const first = await ask(edge);
  const again = await ask(edge);
  expect([first.cache, again.cache]).toEqual(["nearcast; fwd=miss", "nearcast; hit"]);
  expect(again).toEqual({ ...first, cache: again.cache });
  expect(asked).toBe(1);
  fates = ["is cut"];
  expect((await ask(edge, { headers: { "Cache-Control": "no-cache" } })).version).toBe("1");
  expect((await ask(edge)).cache).toBe("nearcast; hit");
  expect((await ask(edge, { inputs: [6.3, 2.8, 5.1, 1.5] })).cache).toBe("nearcast; fwd=miss");
  expect((await ask(edge, { path: `${PATH}?x=1` })).cache).toBe("nearcast; fwd=miss");
  expect(asked).toBe(4);
});

test("a slow request is sent once more where that is configured, and the slower one is ended", async () => {
  // Its deadline is so late that it is not what ends the slower one.
  const hedging = edgeOf(region.url, { SPILL_HEDGE_MS: "60", REQUEST_TIMEOUT_MS: "120000" });
  fates = ["hangs"];
  [asked, ended] = [0, 0];
  expect(await ask(hedging)).toMatchObject({ status: 200, version: "2" });
  expect(asked).toBe(2);
  await expect.poll(() => ended).toBe(1);
  fates = ["hangs"];
  asked = 0;
  const late = { headers: { "X-Request-Timeout-Ms": "1000" } };
  expect((await ask(edgeOf(region.url), late)).status).toBe(504);
  expect(asked).toBe(1);
});

test("a request that the smaller version answers takes one place, and leaves one line", async () => {
  const lines: Record<string, unknown>[] = [];
  const env = { STORE: folder, SESSION_BUDGET_MB, ACCESS_LOG: "true", MAX_CONCURRENCY: "1" };
  const edge = deployEdge(NOWHERE, env, { log: (line) => void lines.push(line) });
  const answer = await ask(edge, { headers: { "X-Request-Id": "one" } });
  expect(answer).toMatchObject({ status: 200, assignment: "fallback" });
  const requests = lines.filter(({ message }) => message === "request");
  expect(requests).toMatchObject([{ requestId: "one", status: 200, version: "1" }]);
});
