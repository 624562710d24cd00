import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createCircuitBreaker } from "../../functions/spillover/circuit-breaker.ts";
import { deployEdge, serveRegion } from "./deployments.ts";

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
});
