import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createCircuitBreaker } from "../../functions/spillover/circuit-breaker.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { deployEdge, exampleOf, served, serveRegion } from "./deployments.ts";

const { artifact } = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as Manifest;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const pass = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

function fail(breaker: ReturnType<typeof createCircuitBreaker>, times = 1): void {
  for (let time = 0; time < times; time++) breaker.enter()?.("failed");
}

describe("the circuit breaker", () => {
  test("opens after five failures in ten seconds", () => {
    const breaker = createCircuitBreaker();
    fail(breaker, 4);
    pass(10_000);
    fail(breaker, 4);
    expect(breaker.enter()).toBeDefined();
    fail(breaker);
    expect(breaker.enter()).toBeUndefined();
  });

  test("stays closed while most requests are answered, and for clients that go away", () => {
    const breaker = createCircuitBreaker();
    for (let time = 0; time < 10; time++) breaker.enter()?.("answered");
    fail(breaker, 9);
    for (let time = 0; time < 10; time++) breaker.enter()?.("unknown");
    expect(breaker.enter()).toBeDefined();
  });

  test("lets one probe through, which closes it or keeps it open", () => {
    const breaker = createCircuitBreaker();
    fail(breaker, 5);
    pass(5000);
    const failing = breaker.enter();
    expect(breaker.enter()).toBeUndefined();
    failing?.("failed");
    expect(breaker.enter()).toBeUndefined();
    pass(5000);
    breaker.enter()?.("answered");
    fail(breaker, 4);
    expect(breaker.enter()).toBeDefined();
  });

  test("a probe that ends after its place was taken says nothing", () => {
    const breaker = createCircuitBreaker();
    fail(breaker, 5);
    pass(5000);
    const late = breaker.enter();
    pass(5000);
    breaker.enter()?.("answered");
    late?.("failed");
    expect(breaker.enter()).toBeDefined();
  });

  test("a probe whose place was taken closes it when it is answered", () => {
    const breaker = createCircuitBreaker();
    fail(breaker, 5);
    pass(5000);
    const slow = breaker.enter();
    pass(5000);
    const next = breaker.enter();
    slow?.("answered");
    expect(breaker.enter()).toBeDefined();
    next?.("failed");
    expect(breaker.enter()).toBeDefined();
  });

  test("counts an answer that broke off after it had begun well as a failure", () => {
    const breaker = createCircuitBreaker();
    for (let time = 0; time < 5; time++) {
      breaker.enter()?.("answered");
      breaker.fail();
    }
    expect(breaker.enter()).toBeUndefined();
    breaker.fail();
    pass(5000);
    expect(breaker.enter()).toBeDefined();
  });

  test("sends another probe after one that never ended, or whose client went away", () => {
    const breaker = createCircuitBreaker();
    fail(breaker, 5);
    pass(5000);
    breaker.enter()?.("unknown");
    expect(breaker.enter()).toBeDefined();
    expect(breaker.enter()).toBeUndefined();
    pass(5000);
    expect(breaker.enter()).toBeDefined();
  });
});

describe("before a region that fails", () => {
  const closing: (() => Promise<void>)[] = [];
  afterAll(() => Promise.all(closing.map((close) => close())));

  test("requests are refused at once, until the region answers again", async () => {
    let [asked, isUp] = [0, false];
    const { url, close } = await serveRegion({}, ({ socket }) => {
      asked += 1;
      if (!isUp) socket.destroy();
    });
    closing.push(close);
    const edge = deployEdge(url);
    const ask = () =>
      edge.request("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}',
      });
    for (let time = 0; time < 8; time++) expect((await ask()).status).toBe(503);
    expect(asked).toBe(5);
    isUp = true;
    expect((await ask()).status).toBe(503);
    expect(asked).toBe(5);
    pass(5000);
    expect((await ask()).status).toBe(200);
    expect(asked).toBe(6);
  });

  test("a region that answers again opens the way before its long answer has ended", async () => {
    let isUp = false;
    const { url, close } = await served(({ socket }, response) => {
      if (!isUp) return void socket.destroy();
      response.writeHead(200, { "X-Model-Digest": `sha256:${artifact.sha256}` });
      response.write("{");
    });
    closing.push(close);
    const edge = deployEdge(url);
    const ask = async () => {
      const answer = await edge.request("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}',
      });
      return answer.status;
    };
    for (let time = 0; time < 5; time++) expect(await ask()).toBe(503);
    isUp = true;
    pass(5000);
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 200]);
  });

  test("a caller whose own requests are refused on the way opens it for nobody", async () => {
    const { url, close } = await serveRegion();
    closing.push(close);
    const edge = deployEdge(url);
    const ask = (headers: Record<string, string> = {}) =>
      edge.request("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}',
      });
    // More than Node's server takes with the fields that the edge adds.
    const large = { "X-Pad": "a".repeat(15_900) };
    for (let time = 0; time < 6; time++) expect((await ask(large)).status).toBe(503);
    expect((await ask()).status).toBe(200);
  });

  test("errors of what stands before the region open it, and are not passed on", async () => {
    let asked = 0;
    const { url, close } = await served((request, response) => {
      asked += 1;
      response.writeHead(502, { "X-Request-Id": request.headers["x-request-id"] ?? "" });
      response.end("<h1>a proxy</h1>");
    });
    closing.push(close);
    const edge = deployEdge(url);
    for (let time = 0; time < 7; time++) {
      const answer = await edge.request("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}',
      });
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toContain("a proxy");
    }
    expect(asked).toBe(5);
  });

  test("one that hangs leaves room for models that fit", async () => {
    const hanging = await served(() => undefined);
    closing.push(hanging.close);
    const edge = deployEdge(hanging.url, { MAX_CONCURRENCY: "4" });
    const ask = async (model: string, inputs: unknown, headers: Record<string, string> = {}) =>
      edge.request(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify({ inputs }),
      });
    const soon = { "X-Request-Timeout-Ms": "1000" };
    const flowers = [1, 2, 3].map(() => ask("iris", [5.1, 3.5, 1.4, 0.2], soon));
    const { input } = await exampleOf("diabetes");
    expect((await ask("diabetes", input)).status).toBe(200);
    const statuses = (await Promise.all(flowers)).map(({ status }) => String(status));
    expect(statuses.toSorted()).toEqual(["503", "504", "504"]);
  });
});
