import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { apiKey, keyList } from "../auth/keys.ts";
import { targets, type Target } from "../harness/targets.ts";
import { flood, IRIS, NO_OTHER_LIMITS, predict, send } from "./requests.ts";

let running: Target | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(env: Record<string, string>): Promise<Target> {
  running = await targets.node({ env });
  return running;
}

const rows = (count: number) => Array.from({ length: count }, () => IRIS);
const from = (address: string) => ({ "X-Forwarded-For": address });

test("of 1,000 requests at once a limit of 100 a minute lets through 100", async () => {
  const target = await start({ ...NO_OTHER_LIMITS, RATE_LIMIT: "100/60s" });
  expect(await flood([target], 1000)).toEqual({ 200: 100, 429: 900 });
});

test("every answer says what is left, and a refusal when to come again; then it is so", async () => {
  const target = await start({ RATE_LIMIT: "2/4s", TRUST_PROXY: "1" });
  // Its window does not begin before the model is loaded.
  await predict(target, 1, from("192.0.2.1"));
  const first = await predict(target);
  expect(first.headers.get("ratelimit-policy")).toBe('"caller";q=2;w=4');
  expect(first.headers.get("ratelimit")).toBe('"caller";r=1;t=4');
  await predict(target);
  const refused = await predict(target);
  expect([refused.status, refused.body["code"]]).toEqual([429, "rate_limited"]);
  expect(refused.body["detail"]).toMatch(/2 units in 4 s. Try again in [1-4] s/);
  const seconds = Number(refused.headers.get("retry-after"));
  expect(refused.headers.get("ratelimit")).toBe(`"caller";r=0;t=${seconds}`);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(4);
  await sleep(seconds * 1000);
  expect((await predict(target)).status).toBe(200);
});

test("who needs no key for a page has an address's rate, not one with all others", async () => {
  const target = await start({
    RATE_LIMIT: "3/60s",
    TRUST_PROXY: "1",
    AUTH: "",
    API_KEYS: keyList(apiKey("anonymous")),
  });
  const page = async (address: string) =>
    (await target.fetch("/docs", { headers: from(address) })).status;
  for (let asked = 0; asked < 3; asked++) expect(await page("192.0.2.1")).toBe(200);
  expect(await page("192.0.2.1")).toBe(429);
  expect(await page("192.0.2.2")).toBe(200);
});

test("a batch costs its rows, in every form that it can have, and nothing is computed of what is refused", async () => {
  const target = await start({ RATE_LIMIT: "20/60s" });
  const left = async (path: string, body: unknown) => {
    const { status, headers } = await send(target, path, body);
    return [status, headers.get("ratelimit")?.replace(/;t=\d+/, "")];
  };
  const predictPath = "/v1/models/iris/predict";
  expect(await left(predictPath, { inputs: rows(3) })).toEqual([200, '"caller";r=17']);
  const tensor = { name: "features", shape: [4, 4], datatype: "FP32", data: rows(4).flat() };
  const inferPath = "/v2/models/iris/infer";
  expect(await left(inferPath, { inputs: [tensor] })).toEqual([200, '"caller";r=13']);
  const servingPath = "/v1/models/iris:predict";
  expect(await left(servingPath, { instances: rows(2) })).toEqual([200, '"caller";r=11']);
  expect(await left(servingPath, { inputs: { features: rows(5) } })).toEqual([200, '"caller";r=6']);

  const before = await send(target, "/v2/models/iris/stats");
  expect(await left(predictPath, { inputs: rows(6) })).toEqual([429, '"caller";r=4']);
  // A request that was refused took one unit. The rest is still there.
  expect(await left(predictPath, { inputs: rows(2) })).toEqual([200, '"caller";r=2']);
  expect((await send(target, inferPath, { inputs: [tensor] })).status).toBe(429);
  const after = await send(target, "/v2/models/iris/stats");
  const executions = ({ body }: typeof after) =>
    (body["model_stats"] as { execution_count: number }[])[0]?.execution_count;
  expect(executions(after)).toBe((executions(before) ?? 0) + 1);
});

test("a batch larger than the limit is told that it can never pass", async () => {
  const target = await start({ RATE_LIMIT: "5/60s", MODEL_RATE_LIMIT: "3/60s" });
  for (const [rows, limit] of [
    [6, 5],
    [4, 3],
  ] as const) {
    const refused = await predict(target, rows);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, null]);
    expect(refused.body["detail"]).toContain(
      `${limit} units in 60 s, and this request costs ${rows} (${rows} rows, `,
    );
    expect(refused.body["detail"]).toContain("Send fewer or smaller inputs at once");
    if (rows === 6) await running?.restart();
  }
});

test("a model's rate counts all callers together, and each model for itself", async () => {
  const target = await start({ MODEL_RATE_LIMIT: "4/60s", TRUST_PROXY: "1" });
  expect((await predict(target, 2, from("192.0.2.1"))).status).toBe(200);
  expect((await predict(target, 2, from("192.0.2.2"))).status).toBe(200);
  const refused = await predict(target, 1, from("192.0.2.3"));
  expect(refused.status).toBe(429);
  expect(refused.headers.get("ratelimit")).toMatch(/^"model";r=0;t=\d+$/);
  expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(refused.body["detail"]).toContain("All callers of this model together");
  const other = await send(target, "/v1/models/sentiment/predict", { inputs: "Great phone." });
  expect(other.status).toBe(200);
});

test("an address that the client only claims is not believed; that of a trusted proxy is", async () => {
  const untrusting = await start({ RATE_LIMIT: "2/60s" });
  const statuses = [];
  for (const last of [1, 2, 3])
    statuses.push((await predict(untrusting, 1, from(`192.0.2.${last}`))).status);
  expect(statuses).toEqual([200, 200, 429]);
  await untrusting.stop();

  const trusting = await start({ RATE_LIMIT: "1/60s", TRUST_PROXY: "1" });
  const forwarded = async (value: string) =>
    (await predict(trusting, 1, { "X-Forwarded-For": value })).status;
  expect(await forwarded("192.0.2.1")).toBe(200);
  expect(await forwarded("192.0.2.2")).toBe(200);
  // Only the last entry is the proxy's own.
  expect(await forwarded("192.0.2.9, 192.0.2.2")).toBe(429);
  // All addresses of one IPv6 network count as one client.
  expect(await forwarded("2001:db8:0:1::1")).toBe(200);
  expect(await forwarded("2001:db8:0:1:ffff::2")).toBe(429);
  expect(await forwarded("2001:db8:0:2::1")).toBe(200);
});

test("health is never limited, and clients of other dialects read the refusal in their own form", async () => {
  const target = await start({ RATE_LIMIT: "1/60s", DEFAULT_MODEL: "iris" });
  expect((await send(target, "/v1/models")).status).toBe(200);
  for (const path of [
    "/health",
    "/health/",
    "/ready",
    "/ping",
    "/v2/health/live",
    "/v2/health/ready",
  ])
    expect([path, (await send(target, path)).status]).toEqual([path, 200]);
  const openai = await send(target, "/v1/embeddings", { model: "search", input: "shoes" });
  expect(openai.status).toBe(429);
  expect(openai.body["error"]).toMatchObject({ code: "rate_limit_exceeded" });
  const mlflow = await send(target, "/invocations", { inputs: [IRIS] });
  expect(mlflow.status).toBe(429);
  expect(mlflow.body).toMatchObject({ error_code: "REQUEST_LIMIT_EXCEEDED" });
});
