import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Scenario } from "../../cli/cost/bill.ts";
import { compareCosts } from "../../cli/cost/compare.ts";
import { cloudRunBill, fargateBill, instancesFor } from "../../cli/cost/containers.ts";
import type { Figures } from "../../cli/cost/figures.ts";
import { billedMs, LAMBDA_MB, lambdaBill, RELEASE_SECONDS } from "../../cli/cost/lambda.ts";
import { charge, type Price } from "../../cli/cost/price.ts";
import { PRICES } from "../../cli/cost/prices.ts";
import { spilledBill, spilledPerMillion } from "../../cli/cost/spilled.ts";
import { workersBill } from "../../cli/cost/workers.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { root } from "../cli/nearcast.ts";
import { FIGURES, scenario } from "./scenario.ts";

const PLAIN: Price = {
  dollars: 2,
  per: 1000,
  unit: "things",
  region: "here",
  source: "https://example.com/",
  seen: "in a test",
};

describe("a price", () => {
  test("counts what is over the included, and with the free tier over that too", () => {
    const price = { ...PLAIN, included: 1000, free: 500 };
    expect(charge(price, 900)).toBe(0);
    expect(charge(price, 3000)).toBe(4);
    expect(charge(price, 3000, true)).toBe(3);
  });

  test("has tiers, each for what lies in it", () => {
    const tiers = [
      { from: 10_000, dollars: 1 },
      { from: 20_000, dollars: 0.5 },
    ];
    expect(charge({ ...PLAIN, tiers }, 9000)).toBe(18);
    expect(charge({ ...PLAIN, tiers }, 24_000)).toBe(20 + 10 + 2);
  });

  test("counts started units where the bill does", () => {
    const price = { ...PLAIN, included: 1000, started: true } as const;
    expect([1000, 1001, 2000, 2001].map((quantity) => charge(price, quantity))).toEqual([
      0, 2, 2, 4,
    ]);
  });

  test("names where it is published, and either where it was seen or that it was not", () => {
    for (const [name, price] of Object.entries(PRICES) as [string, Price][]) {
      expect(price.source, name).toMatch(/^https:\/\//);
      expect(price.seen === "", name).toBe(price.known !== undefined);
    }
  });
});

describe("Lambda", () => {
  test("bills each invocation in started milliseconds, and a cold one with its init phase", () => {
    const lambda = { durationsMs: [0.2, 1, 1.01, 5.5], initMs: 100.2, firstMs: 50.2, peakMb: 1 };
    expect(billedMs(lambda)).toEqual({ warm: (1 + 1 + 2 + 6) / 4, cold: 151 });
  });

  test("costs a fifth less on arm, and only the duration does", () => {
    const [x86, arm] = (["x86", "arm"] as const).map(
      (architecture) => lambdaBill(FIGURES, scenario(), architecture).lines,
    );
    const differing = arm?.filter((line, index) => line.dollars !== x86?.[index]?.dollars);
    expect(differing?.map(({ price }) => price)).toEqual(["lambda-arm"]);
    expect((differing?.[0]?.dollars ?? 0) / (x86?.[1]?.dollars ?? 0)).toBeCloseTo(0.8, 5);
  });

  test("an HTTP API counts started 512 KB of an answer, a function URL costs nothing", () => {
    const large = { ...FIGURES, answerBytes: 512 * 1024 + 1 };
    expect(apiDollars(FIGURES, "http-api")).toBe(1);
    expect(apiDollars(large, "http-api")).toBe(2);
    expect(apiDollars(FIGURES, "function-url")).toBeUndefined();
  });

  test("the free tier takes off a million requests and 400,000 GB-s", () => {
    const paid = lambdaBill(FIGURES, scenario(), "x86");
    const free = lambdaBill(FIGURES, scenario({ freeTier: true }), "x86");
    // 43,800 requests are left: those of the watch.
    expect(free.lines[0]?.dollars).toBeCloseTo(0.00876, 8);
    expect(free.lines[1]?.dollars).toBe(0);
    expect(free.dollars).toBeLessThan(paid.dollars);
  });

  test("says so where a model needs more memory than the function has", () => {
    const large = { ...FIGURES, lambda: { ...FIGURES.lambda, peakMb: 1800 } };
    expect(lambdaBill(large, scenario(), "x86").problem).toBe(
      "it takes 1800 MB, and the function has 1769",
    );
  });

  test("is deployed as it is counted", async () => {
    const { provider, functions } = parse(await readFile(join(root, "serverless.yml"), "utf8"), {
      logLevel: "error",
    }) as {
      provider: { memorySize: number };
      functions: Record<string, { events?: object[] }>;
    };
    expect(provider.memorySize).toBe(LAMBDA_MB);
    expect(functions["predict"]?.events).toEqual([{ httpApi: "*" }]);
    expect(functions["watch"]?.events).toEqual([{ schedule: "rate(1 minute)" }]);
    expect(createNodePlatform({}).config.releaseTtlMs).toBe(RELEASE_SECONDS * 1000);
  });
});

describe("containers", () => {
  test("are as many as the peak needs at 60 % of a vCPU, and never fewer than asked for", () => {
    // A vCPU takes 1,200 requests a second of 0.5 ms at 60 %: 3.15 billion in a month.
    expect(containers(1)).toBe(1);
    expect(containers(1, 2)).toBe(2);
    expect(containers(1200 * 2_628_000)).toBe(1);
    expect(containers(1201 * 2_628_000)).toBe(2);
  });

  test("get memory by what was measured, or are said not to fit", () => {
    const memory = fargateBill(withMemory(2000), scenario()).lines.find(
      ({ price }) => price === "fargate-memory",
    );
    // 1.5 times 2,000 MiB are 3 GB.
    expect(memory?.quantity).toBe(3 * 730);
    expect(fargateBill(withMemory(6000), scenario()).problem).toContain("at most 8");
    expect(cloudRunBill(withMemory(6000), scenario()).problem).toContain("at most 4");
  });
});

describe("a model that does not fit a Worker", () => {
  const large = { ...FIGURES, worker: { cpuMs: 90, firstCpuMs: 900, memoryBytes: 200 * 2 ** 20 } };

  test("has no bill there, but one of the Worker and Lambda together", () => {
    const { bills, breakEvens } = compareCosts(large, scenario(), 1.5);
    expect(bills[0]).toMatchObject({
      platform: "Cloudflare Workers",
      lines: [],
      problem: "it takes 200 MB, and an isolate has 128",
    });
    const [, spilled, lambda] = bills;
    expect(spilled?.platform).toBe("Cloudflare Workers, spilled to Lambda x86");
    // One million of the Worker's requests and its 1.5 million ms are included: only the plan is added.
    expect(spilled?.dollars).toBeCloseTo((lambda?.dollars ?? 0) + 5, 8);
    expect(breakEvens.map(({ functions }) => functions)).not.toContain("Cloudflare Workers");
  });

  test("a million further spilled requests cost those of the Worker and of Lambda", () => {
    // Worker: 0.30, and 1.5 ms at 0.02. Its logs: 2.5 GB at 0.25, and seven days of 30 of them at 0.10.
    const worker = 0.3 + 1.5 * 0.02 + 2.5 * (0.25 + (7 / 30) * 0.1);
    const at = (requests: number) => lambdaBill(large, scenario({ requests }), "x86").dollars;
    expect(spilledPerMillion(large, 1.5)).toBeCloseTo(worker + at(101e6) - at(100e6), 6);
    expect(spilledBill(large, scenario(), 1.5).problem).toBeUndefined();
  });

  test("a version that does not run on WASM is said so", () => {
    expect(workersBill({ ...FIGURES, worker: undefined }, scenario()).problem).toBe(
      "it does not run on WASM",
    );
  });
});

function apiDollars(figures: Figures, address: Scenario["address"]): number | undefined {
  const { lines } = lambdaBill(figures, scenario({ address }), "x86");
  return lines.find(({ price }) => price === "http-api")?.dollars;
}

function containers(requests: number, instances = 1): number {
  return instancesFor(FIGURES, scenario({ requests, instances }));
}

function withMemory(residentMb: number): Figures {
  return { ...FIGURES, server: { cpuMs: 1, residentMb } };
}
