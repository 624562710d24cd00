import { expect, test } from "vitest";
import { hasMore, logEvidence } from "../../functions/rollout/sequential-test.ts";
import recorded from "../fixtures/evidence.json" with { type: "json" };
import { caughtAfter } from "./simulated.ts";

/** 15 digits of the largest term, of which the evidence is the difference. */
const digits = (own: number, others: number) => 1e-13 * (20 + (own + others) * 20);

test("the evidence is that of the reference in Python, over recorded streams", () => {
  let looks = 0;
  for (const { share, looks: own } of recorded.streams)
    for (const look of own) {
      looks += 1;
      const ours = logEvidence({ ...look, share });
      expect(Math.abs(ours - look.log)).toBeLessThan(digits(look.own, look.others));
    }
  expect(looks).toBeGreaterThan(80);
  for (const point of recorded.points)
    expect(Math.abs(logEvidence(point) - point.log)).toBeLessThan(digits(point.own, point.others));
});

const ROLLOUTS = 1000;

test("of 1,000 rollouts of good versions at most the stated share is taken back, looking after every error", () => {
  for (const share of [0.05, 0.5]) {
    const good = { share, stableErrors: 0.02, ownErrors: 0.02, requests: 10_000 };
    let alarms = 0;
    for (let seed = 1; seed <= ROLLOUTS; seed++) if (caughtAfter(seed, good)) alarms += 1;
    expect(alarms, `share ${share}`).toBeLessThanOrEqual(ROLLOUTS * 0.01);
  }
});

test("a version with fewer errors than stable is never taken back, and a worse one is", () => {
  const better = { share: 0.1, stableErrors: 0.05, ownErrors: 0.001, requests: 10_000 };
  for (let seed = 1; seed <= 50; seed++) expect(caughtAfter(seed, better)).toBe(undefined);
  const times = Array.from({ length: 101 }, (_, seed) =>
    caughtAfter(seed + 1, { share: 0.1, stableErrors: 0.01, ownErrors: 0.5, requests: 5000 }),
  ).toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity));
  expect(times[50]).toBeLessThan(200);
  expect(times[100]).toBeDefined();
});

test("segments with different shares multiply, and one at 0 % or 100 % says nothing", () => {
  const [first, second] = [
    { own: 3, others: 10, share: 0.05 },
    { own: 6, others: 8, share: 0.25 },
  ];
  const sum = logEvidence(first) + logEvidence(second);
  expect(hasMore([first, second], Math.exp(-sum) * 1.001)).toBe(true);
  expect(hasMore([first, second], Math.exp(-sum) * 0.999)).toBe(false);
  for (const share of [0, 1]) expect(logEvidence({ own: 100, others: 0, share })).toBe(0);
});
