import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import { targets, type Target } from "../harness/targets.ts";
import { SECRET, served, serveRegion, SMALL_MB, type Served } from "./deployments.ts";

const PATH = "/v1/models/iris/predict";
const FLOWER = '{"inputs": [5.1, 3.5, 1.4, 0.2]}';
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const { key, entry } = apiKey("web");

// The edge as a process or isolate of its own, before a region that can be told how to behave.
describe.each(["worker", "node"] as const)("an edge on %s", (name) => {
  let edge: Target;
  let door: Served;
  let region: Served;
  let behaviour: "answers" | "hangs" | "is down";
  /** How many requests came, and how many of them were ended before their answers. */
  let [asked, ended] = [0, 0];
  const forward = (path: string, init: RequestInit) => fetch(`${region.url}${path}`, init);

  beforeAll(async () => {
    region = await serveRegion({ AUTH: "", API_KEYS: "[]" });
    door = await served((incoming, response) => {
      asked += 1;
      response.on("close", () => (ended += response.writableFinished ? 0 : 1));
      if (behaviour === "is down") incoming.socket.destroy();
      if (behaviour !== "answers") return;
      void answerByFetch(forward, incoming, response);
    });
    edge = await targets[name]({
      env: {
        AUTH: "",
        API_KEYS: keyList({ entry }),
        RATE_LIMIT: "1000/60s",
        SPILL_URL: door.url,
        SPILL_SECRET: SECRET,
        SESSION_BUDGET_MB: SMALL_MB,
      },
      rateLimits: { RATE_LIMIT_1000_60: { limit: 1000, period: 60 } },
    });
  });
  beforeEach(() => {
    [asked, ended] = [0, 0];
  });
  afterAll(async () => {
    await edge.stop();
    await door.close();
    await region.close();
  });

  const ask = (headers: Record<string, string> = {}) =>
    edge.fetch(PATH, {
      method: "POST",
      body: FLOWER,
      headers: { "Content-Type": "application/json", ...bearer(key), ...headers },
    });

  test("asks the region only for callers with a key", async () => {
    behaviour = "answers";
    expect((await ask({ Authorization: "Bearer x" })).status).toBe(401);
    expect(asked).toBe(0);
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-nearcast-spillover")).toBe("region");
    expect(answer.headers.get("ratelimit-policy")).toBe('"caller";q=1000;w=60');
    expect(asked).toBe(1);
  });

  test("ends its request to the region when the client goes away", async () => {
    behaviour = "hangs";
    const headers = { "Content-Type": "application/json", ...bearer(key) };
    const client = request(new URL(PATH, edge.url), { method: "POST", headers });
    client.on("error", () => undefined);
    client.end(FLOWER);
    await expect.poll(() => asked).toBe(1);
    // workerd on Linux sees a reset at once, but not that a client only sends no more.
    client.socket?.resetAndDestroy();
    await expect.poll(() => ended).toBe(1);
  });

  test("answers 504 at the deadline, and ends its request", async () => {
    behaviour = "hangs";
    const answer = await ask({ "X-Request-Timeout-Ms": "2000" });
    expect([answer.status, await codeOf(answer)]).toEqual([504, "deadline_exceeded"]);
    await expect.poll(() => ended).toBe(1);
  });

  test("answers 503 while the region is down, soon without asking, and goes on afterwards", async () => {
    behaviour = "is down";
    for (let time = 0; time < 12; time++) {
      const answer = await ask();
      expect([answer.status, await codeOf(answer)]).toEqual([503, "region_unavailable"]);
    }
    expect(asked).toBeLessThan(12);
    behaviour = "answers";
    await expect.poll(async () => (await ask()).status, { interval: 500 }).toBe(200);
  });
});
