import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createApp } from "../../functions/app.ts";
import type { CallRecord } from "../../functions/call.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { answerJson } from "../../functions/http/answer.ts";
import { identify } from "../../functions/http/identify.ts";
import { defineDialect } from "../../functions/dialects/define.ts";
import { type AppEnv, callOf } from "../../functions/http/exchange.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { signSpilled } from "../../functions/spillover/token.ts";
import {
  copyIris,
  deploy,
  deployEdge,
  exampleOf,
  SECRET,
  served,
  serveRegion,
  SMALL_MB,
  useServed,
} from "./deployments.ts";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const PATH = "/v1/models/iris/predict";

type App = ReturnType<typeof deploy>;
type Headers = Record<string, string>;

/** The headers of the requests that the region got, newest last. */
const seen: Headers[] = [];
const keep = useServed();

const region = (env: Headers = {}) =>
  keep(serveRegion(env, ({ headers }) => void seen.push(headers as Headers)));

function ask(app: App, headers: Headers = {}, path = PATH): Promise<Response> {
  const body = JSON.stringify({ inputs: FLOWER });
  const all = { "Content-Type": "application/json", ...headers };
  return Promise.resolve(app.request(path, { method: "POST", headers: all, body }));
}

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code;
}

describe("a model that is too large for the edge", () => {
  let url: string;
  beforeAll(async () => {
    url = await region();
  });

  test("is answered by the region, as the region itself answers", async () => {
    const answer = await ask(deployEdge(url), { "X-Request-Id": "a-1" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-nearcast-spillover")).toBe("region");
    expect(answer.headers.get("x-request-id")).toBe("a-1");
    const direct = await ask(deploy());
    expect(direct.headers.has("x-nearcast-spillover")).toBe(false);
    expect(await answer.text()).toBe(await direct.text());
  });

  test("one that fits is answered here", async () => {
    const before = seen.length;
    const answer = await deployEdge(url).request("/v1/models/diabetes/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: (await exampleOf("diabetes")).input }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.has("x-nearcast-spillover")).toBe(false);
    expect(seen.length).toBe(before);
  });

  test("is told to observers, with the time that the region took", async () => {
    const told: CallRecord[] = [];
    const spills = { SPILL_URL: url, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
    const platform = createNodePlatform({ STORE: "models", AUTH: "none", ...spills });
    const call = (record: CallRecord) => void told.push(record);
    const edge = createApp(createService(platform, { observers: [{ call }] }));
    const answer = await ask(edge);
    expect(answer.headers.get("server-timing")).toMatch(/region;dur=\d/);
    expect(told).toMatchObject([{ spilled: true, error: undefined }]);
  });

  test("a URL with credentials, a query or a fragment is refused", () => {
    for (const wrong of ["https://user:word@region.example", `${url}?x=1`, `${url}#f`])
      expect(() => deployEdge(wrong), wrong).toThrow("SPILL_URL");
  });

  test("without a region it is refused as ever", async () => {
    const answer = await ask(deploy({ SESSION_BUDGET_MB: SMALL_MB }));
    expect([answer.status, await codeOf(answer)]).toEqual([507, "model_too_large"]);
  });

  test("credentials, cookies and fields of the connection stay at the edge", async () => {
    const { key, entry } = apiKey("web");
    const edge = deployEdge(url, { AUTH: "", API_KEYS: keyList({ entry }) });
    const answer = await ask(edge, {
      Authorization: `Bearer ${key}`,
      Cookie: "session=1",
      Origin: "https://app.example.com",
      Connection: "keep-alive, x-hop",
      "X-Hop": "1",
      "X-Forwarded-For": "192.0.2.1",
      "True-Client-IP": "192.0.2.1",
      "X-Amzn-Oidc-Data": "a token",
      "X-Nearcast-Key": "customer-1",
      "X-Own": "kept",
    });
    expect(answer.status).toBe(200);
    const headers = seen.at(-1) ?? {};
    const own = ["authorization", "cookie", "origin", "x-hop", "x-forwarded-for"];
    for (const name of [...own, "true-client-ip", "x-amzn-oidc-data"])
      expect(headers[name], name).toBeUndefined();
    expect(headers["x-nearcast-key"]).toBeUndefined();
    expect(headers["x-own"]).toBe("kept");
    expect(JSON.stringify(headers)).not.toContain(key);
  });

  test("the edge's span is the parent of the region's", async () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const answer = await ask(deployEdge(url), {
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    });
    const own = answer.headers.get("traceparent");
    expect(own).toContain(trace);
    expect(own).not.toContain("00f067aa0ba902b7");
    expect(seen.at(-1)?.["traceparent"]).toBe(own);
  });

  test("a GET of an own dialect is forwarded too", async () => {
    const flowers = defineDialect({
      name: "flowers",
      paths: ["/flowers"],
      routes: ({ predict }) =>
        new Hono<AppEnv>().get("/flowers", async (c) => {
          const call = { ...callOf(c), model: "iris", inputs: FLOWER };
          const { manifest, outputs } = await predict(call);
          identify(c, manifest);
          return answerJson(c, outputs);
        }),
    });
    const options = { dialects: [flowers] };
    const there = deploy({ SPILL_SECRET: SECRET }, options);
    const its = await keep(served(getRequestListener(there.fetch)));
    const spills = { SPILL_URL: its, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
    const answer = await deploy(spills, options).request("/flowers");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ label: "setosa" });
  });

  test("the rest of the deadline goes along", async () => {
    await ask(deployEdge(url), { "X-Request-Timeout-Ms": "20000" });
    const left = Number(seen.at(-1)?.["x-request-timeout-ms"]);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(20_000);
  });

  test("keys and rates of the edge hold, and the region asks for neither", async () => {
    const { key, entry } = apiKey("web");
    const closed = await region({
      AUTH: "",
      API_KEYS: keyList(apiKey("other")),
      RATE_LIMIT: "1/60s",
    });
    const rates = { RATE_LIMIT: "2/60s", AUTH: "", API_KEYS: keyList({ entry }) };
    const edge = deployEdge(closed, rates);
    const before = seen.length;
    expect((await ask(edge)).status).toBe(401);
    const headers = { Authorization: `Bearer ${key}` };
    const statuses = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await ask(edge, headers)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(seen.length - before).toBe(2);
    expect((await ask(edge, headers)).headers.get("ratelimit-policy")).toBe('"caller";q=2;w=60');
  });

  test("a region that has no keys answers the edge alone", async () => {
    const closed = await region({ AUTH: "", HOST: "0.0.0.0" });
    expect((await ask(deployEdge(closed))).status).toBe(200);
    const direct = await fetch(`${closed}${PATH}`, { method: "POST", body: "{}" });
    expect([direct.status, await codeOf(direct)]).toEqual([503, "authentication_not_configured"]);
  });
});

describe("the signature", () => {
  let url: string;
  beforeAll(async () => {
    url = await region({ AUTH: "", API_KEYS: keyList(apiKey("other")) });
  });

  const body = JSON.stringify({ inputs: FLOWER });
  const signed = { method: "POST", path: PATH, search: "" };
  const spilled = {
    caller: "web",
    model: "iris",
    version: "1",
    reason: "stable" as const,
    digest: "0",
    body: "",
  };
  async function send(token: string, changed: { path?: string; body?: string } = {}) {
    return fetch(`${url}${changed.path ?? PATH}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Nearcast-Spill": token },
      body: changed.body ?? body,
    });
  }

  test("covers method, path, query and body", async () => {
    const right = { ...spilled, body: await digestOf(body) };
    const token = await signSpilled(right, signed, SECRET);
    expect((await send(token)).status).toBe(200);
    expect((await send(token, { path: "/v1/models/digits/predict" })).status).toBe(401);
    expect((await send(token, { path: `${PATH}?top_k=1` })).status).toBe(401);
    expect((await send(token, { body: body.replace("5.1", "5.2") })).status).toBe(401);
    const other = await signSpilled(right, { ...signed, method: "PUT" }, SECRET);
    expect((await send(other)).status).toBe(401);
  });

  test("must be made with the secret, and lately", async () => {
    const right = { ...spilled, body: await digestOf(body) };
    const wrong = await signSpilled(right, signed, `${SECRET} or not`);
    expect((await send(wrong)).status).toBe(401);
    expect((await send("x")).status).toBe(401);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 75_000 });
    const old = await signSpilled(right, signed, SECRET).finally(() => vi.useRealTimers());
    expect((await send(old)).status).toBe(401);
  });

  test("lets in for the one model alone", async () => {
    const right = { ...spilled, body: await digestOf(body), model: "digits" };
    expect((await send(await signSpilled(right, signed, SECRET))).status).toBe(403);
  });

  test("an old secret is taken while a new one replaces it", async () => {
    const both = await region({ SPILL_SECRET: `${SECRET}, ${SECRET} that is new` });
    expect((await ask(deployEdge(both))).status).toBe(200);
    expect((await ask(deployEdge(both, { SPILL_SECRET: `${SECRET} that is new` }))).status).toBe(
      200,
    );
  });
});

const stored = async () => SECRET;

test("edge and region take the secret of a parameter", async () => {
  const named = { SPILL_SECRET: "ssm:/models/spill-secret" };
  const there = deploy({ ...named, AUTH: "", API_KEYS: "[]" }, {}, { readSecret: stored });
  const door = await keep(served(getRequestListener(there.fetch)));
  expect((await ask(deployEdge(door, named, { readSecret: stored }))).status).toBe(200);
  expect((await ask(deployEdge(door, { SPILL_SECRET: `${SECRET} or not` }))).status).toBe(503);
});

describe("a region that does not answer", () => {
  test("that is down is 503, and is said to be worth another try", async () => {
    const { url, close } = await served(() => undefined);
    await close();
    const { answer, code } = await refusal(url);
    expect([answer.status, code]).toEqual([503, "region_unavailable"]);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.headers.has("x-nearcast-spillover")).toBe(false);
  });

  test("that is slow is 504 at the deadline, and its request is ended", async () => {
    let isEnded = false;
    const url = await keep(served(({ socket }) => void socket.on("close", () => (isEnded = true))));
    const { answer, code } = await refusal(url, { "X-Request-Timeout-Ms": "1000" });
    expect([answer.status, code]).toEqual([504, "deadline_exceeded"]);
    await expect.poll(() => isEnded).toBe(true);
  });

  test("with another secret is 503, and the client learns nothing of it", async () => {
    const url = await region({ SPILL_SECRET: `${SECRET} or not`, AUTH: "", API_KEYS: "[]" });
    const { answer, code } = await refusal(url);
    expect([answer.status, code]).toEqual([503, "region_unavailable"]);
    expect(answer.headers.has("www-authenticate")).toBe(false);
  });

  test("without the version is 503", async () => {
    const url = await region({ STORE: "test/fixtures/identity" });
    const { answer, code } = await refusal(url);
    expect([answer.status, code]).toEqual([503, "region_unavailable"]);
  });

  test("that is no Nearcast is 503, whatever it answers", async () => {
    const url = await keep(served((_request, response) => void response.end('{"outputs": 1}')));
    expect((await refusal(url)).code).toBe("region_unavailable");
  });
});

test("a forwarded request is not forwarded again", async () => {
  const url = await region({ SPILL_URL: "http://127.0.0.1:9", SESSION_BUDGET_MB: SMALL_MB });
  const answer = await ask(deployEdge(url));
  expect([answer.status, await codeOf(answer)]).toEqual([508, "loop_detected"]);
});

describe("the version is the edge's choice", () => {
  let folder: string;
  let edge: App;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nearcast-spillover-"));
    const [here, there] = [join(folder, "edge"), join(folder, "region")];
    for (const version of ["1", "2", "3", "4"]) await copyIris(here, version);
    for (const version of ["1", "2"]) await copyIris(there, version);
    await copyIris(there, "3", { isOther: true });
    await writeFile(join(there, "iris/release.json"), '{"stable": "3"}');
    const release = { schema: 2, stable: "1", candidates: [{ version: "2", percent: 50 }] };
    await writeFile(join(here, "iris/release.json"), JSON.stringify(release));
    edge = deployEdge(await region({ STORE: there }), { STORE: here });
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("and its share of callers, whatever the region has released", async () => {
    const versions = new Set<string>();
    for (let caller = 0; caller < 20; caller++) {
      const answer = await ask(edge, { "X-Nearcast-Key": `customer-${caller}` });
      const { headers } = answer;
      const version = headers.get("x-model-version");
      expect(headers.get("x-model-assignment")).toBe(version === "1" ? "stable" : "candidate");
      expect(headers.get("x-nearcast-spillover")).toBe("region");
      expect(await answer.json()).toMatchObject({ version });
      versions.add(String(version));
    }
    expect([...versions].toSorted()).toEqual(["1", "2"]);
  });

  test("a region with another file, or none, of the version is 503", async () => {
    for (const version of ["3", "4"]) {
      const answer = await ask(edge, {}, `/v1/models/iris/versions/${version}/predict`);
      expect([answer.status, await codeOf(answer)]).toEqual([503, "region_unavailable"]);
    }
  });
});

async function digestOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(hash).toString("hex");
}

async function refusal(url: string, headers: Headers = {}) {
  const answer = await ask(deployEdge(url), headers);
  return { answer, code: await codeOf(answer) };
}
