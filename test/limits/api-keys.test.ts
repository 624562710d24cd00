import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { startDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { targets, type Target } from "../harness/targets.ts";
import { awayFromBorder, predict } from "./requests.ts";

const shop = apiKey("shop", { rate: "3/60s" });
const report = apiKey("report", { rate: "3/60s" });
const free = apiKey("free");
const [spent, fresh] = [apiKey("spent", { rate: "3/60s" }), apiKey("fresh")];
const rateLimits = { RATE_LIMIT_3_60: { limit: 3, period: 60 as const } };

let dynamodb: DynamoDb;
beforeAll(async () => {
  dynamodb = await startDynamoDb("rates");
});
afterAll(() => dynamodb.stop());

describe.each(
  inThisFile([
    ["node", targets.node, () => ({}), "X-Forwarded-For"],
    ["worker", targets.worker, () => ({}), "CF-Connecting-IP"],
    ["lambda", targets.lambda, () => dynamodb.env, "X-Forwarded-For"],
  ] as const),
)("on %s", (name, start, place, addressHeader) => {
  let target: Target;
  afterEach(() => target?.stop());

  async function begin(env: Record<string, string>): Promise<void> {
    const keys = { AUTH: "", API_KEYS: keyList(shop, report, free, spent, fresh) };
    target = await start({ env: { ...keys, ...place(), ...env }, rateLimits });
    await awayFromBorder(10);
  }

  const from = (address: string, key: string) => ({ [addressHeader]: address, ...bearer(key) });
  const statuses = async (count: number, headers: Record<string, string>) => {
    const found = [];
    for (let times = 0; times < count; times++)
      found.push((await predict(target, 1, headers)).status);
    return found;
  };

  test("a key's own rate lets through as much, and others have their own or none", async () => {
    await begin({});
    expect(await statuses(4, bearer(shop.key))).toEqual([200, 200, 200, 429]);
    const refused = await predict(target, 1, bearer(shop.key));
    expect(refused.headers.get("ratelimit-policy")).toBe('"caller";q=3;w=60');
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
    expect(await statuses(4, bearer(report.key))).toEqual([200, 200, 200, 429]);
    expect(await statuses(5, bearer(free.key))).toEqual([200, 200, 200, 200, 200]);
    if (name === "lambda") expect(await dynamodb.counts()).toEqual([3, 3]);
    expect(target.logs()).not.toMatch(/counts the rates|out of reach/);
  });

  test("an address that tries wrong keys runs out of tries, and a right one gets in all the same", async () => {
    await begin({ RATE_LIMIT: "3/60s", ...(name !== "worker" && { TRUST_PROXY: "1" }) });
    const late = { "X-Request-Timeout-Ms": "soon" };
    // A malformed request also counts as a try.
    expect(await statuses(1, { ...from("192.0.2.1", "wrong"), ...late })).toEqual([401]);
    expect(await statuses(4, from("192.0.2.1", "wrong"))).toEqual([401, 401, 429, 429]);
    expect(await statuses(3, from("192.0.2.1", free.key))).toEqual([200, 200, 200]);
    // The key has its own rate. Failures do not reduce it, and it gives the address no new tries.
    expect(await statuses(1, from("192.0.2.1", free.key))).toEqual([429]);
    expect(await statuses(1, from("192.0.2.1", "wrong"))).toEqual([429]);
    expect(await statuses(1, from("192.0.2.2", "wrong"))).toEqual([401]);
  });

  test("first who asks, then how often, then the time-out, then the length; and each leaves one line", async () => {
    const trusts = name !== "worker" && { TRUST_PROXY: "1" };
    await begin({ RATE_LIMIT: "3/60s", MAX_BODY_BYTES: "1000", ...trusts });
    expect(await statuses(3, from("192.0.2.1", "wrong"))).toEqual([401, 401, 401]);
    expect(await statuses(3, bearer(spent.key))).toEqual([200, 200, 200]);
    const lines: unknown[] = [];
    /** Each also has the faults of those that follow. */
    const refused = async (status: number, code: string, headers: Record<string, string>) => {
      const id = `order-${lines.length}`;
      lines.push([id, status, code]);
      const answer = await target.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Request-Id": id, ...headers },
        body: "{".repeat(code === "malformed_json" ? 2 : 2000),
      });
      expect([answer.status, await answer.json()]).toMatchObject([status, { code }]);
    };
    const late = { "X-Request-Timeout-Ms": "soon" };
    await refused(429, "rate_limited", { ...from("192.0.2.1", "wrong"), ...late });
    await refused(401, "unauthorized", { ...from("192.0.2.2", "wrong"), ...late });
    await refused(429, "rate_limited", { ...bearer(spent.key), ...late });
    await refused(400, "malformed_request", { ...bearer(fresh.key), ...late });
    await refused(413, "body_too_large", bearer(fresh.key));
    await refused(400, "malformed_json", bearer(fresh.key));
    const logged = () =>
      [...target.logs().matchAll(/\{.*"requestId":"order-.*\}/g)]
        .map(([line]) => JSON.parse(line) as { requestId: string; status: number; code: string })
        .map(({ requestId, status, code }) => [requestId, status, code]);
    await expect.poll(logged).toEqual(lines);
    expect(target.logs()).not.toMatch(/nc_|192\.0\.2|wrong|soon/);
  });
});
