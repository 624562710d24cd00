import fc from "fast-check";
import { expect, test } from "vitest";
import { fargateBill, instancesFor } from "../../cli/cost/containers.ts";
import { lambdaBill } from "../../cli/cost/lambda.ts";
import { breakEven } from "../../cli/cost/break-even.ts";
import {
  coldStarts,
  HOURS,
  lookAgain,
  PATTERNS,
  peakRatio,
  type Pattern,
  type PatternName,
} from "../../cli/cost/patterns.ts";
import { workersBill } from "../../cli/cost/workers.ts";
import { FIGURES, scenario } from "./scenario.ts";

const NAMES = Object.keys(PATTERNS) as PatternName[];
const served = { busySeconds: 0.002, coldSeconds: 0.3 };
const coldShare = (pattern: Pattern, requests: number) =>
  coldStarts(pattern, requests, served) / requests;

test("each pattern has all requests, in no more than a month, the highest rate first", () => {
  for (const { phases } of NAMES.map((name): Pattern => PATTERNS[name])) {
    expect(phases.reduce((sum, { share }) => sum + share, 0)).toBe(1);
    expect(phases.reduce((sum, { hours }) => sum + hours, 0)).toBeLessThanOrEqual(HOURS);
    const rates = phases.map(({ share, hours }) => share / hours);
    expect(rates[0]).toBe(Math.max(...rates));
  }
  expect(NAMES.map((name) => peakRatio(PATTERNS[name]).toFixed(2))).toEqual([
    "1.00",
    "3.32",
    "10.00",
  ]);
});

test("nearly every request is cold where few come, and hardly any where many do", () => {
  for (const name of NAMES) {
    expect(coldShare(PATTERNS[name], 100)).toBeGreaterThan(0.5);
    expect(coldShare(PATTERNS[name], 1e7)).toBeLessThan(0.001);
  }
  // A request an hour: e^(-1/6) of them come after ten idle minutes. Few others meet an environment that has ended of age.
  expect(coldShare(PATTERNS.steady, 730)).toBeGreaterThan(Math.exp(-1 / 6));
  expect(coldShare(PATTERNS.steady, 730)).toBeLessThan(0.95);
});

test("bursts start more environments than the same requests at an even rate", () => {
  for (const requests of [1e6, 1e7, 1e8])
    expect(coldShare(PATTERNS.bursty, requests)).toBeGreaterThan(
      coldShare(PATTERNS.steady, requests),
    );
});

test("never more starts than requests, and no more looks than requests or ten seconds", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NAMES),
      fc.integer({ min: 1, max: 1e10 }),
      fc.double({ min: 0.0001, max: 20, noNaN: true }),
      (name, requests, busySeconds) => {
        const own = { busySeconds, coldSeconds: busySeconds * 5 };
        const cold = coldStarts(PATTERNS[name], requests, own);
        const looks = lookAgain(PATTERNS[name], requests, { seconds: 10, served: own });
        expect(cold).toBeGreaterThan(0);
        expect(cold).toBeLessThanOrEqual(requests);
        expect(looks).toBeLessThanOrEqual(requests);
      },
    ),
  );
});

test("below the break-even functions are cheaper, above it they are dearer until the next container", () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...NAMES),
      fc.constantFrom("workers" as const, "lambda" as const),
      fc.double({ min: 0.2, max: 200, noNaN: true }),
      fc.integer({ min: 200, max: 200_000 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (name, platform, milliseconds, answerBytes, share) => {
        const figures = {
          ...FIGURES,
          answerBytes,
          lambda: { ...FIGURES.lambda, durationsMs: [milliseconds] },
          worker: { cpuMs: milliseconds, firstCpuMs: 400 + milliseconds, memoryBytes: 1 },
          server: { cpuMs: milliseconds / 2, residentMb: 300 },
        };
        const at = (requests: number) => scenario({ requests, pattern: PATTERNS[name] });
        const functions = (requests: number) =>
          platform === "workers"
            ? workersBill(figures, at(requests)).dollars
            : lambdaBill(figures, at(requests), "x86").dollars;
        const container = (requests: number) => fargateBill(figures, at(requests)).dollars;
        const crossing = breakEven(functions, container);
        if (crossing === undefined) return;
        found++;
        const below = Math.floor(crossing * share);
        if (below >= 1) expect(functions(below)).toBeLessThanOrEqual(container(below));
        expect(functions(crossing - 1)).toBeLessThanOrEqual(container(crossing - 1));
        const above = Math.ceil(crossing * (1 + share));
        if (instancesFor(figures, at(above)) === instancesFor(figures, at(crossing)))
          expect(functions(above)).toBeGreaterThan(container(above));
      },
    ),
    { numRuns: 30, seed: 7 },
  );
  expect(found).toBeGreaterThan(15);
});

test("there is none where functions never become the dearer ones", () => {
  expect(
    breakEven(
      () => 1,
      () => 2,
    ),
  ).toBeUndefined();
  expect(
    breakEven(
      (requests) => requests,
      () => 999.5,
    ),
  ).toBe(1000);
  expect(
    breakEven(
      () => 2,
      () => 1,
    ),
  ).toBe(1);
});
