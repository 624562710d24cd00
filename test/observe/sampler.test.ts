import { expect, test } from "vitest";
import { createFollows, type Follow } from "../../functions/follow.ts";
import type { Resolved } from "../../functions/model/registry.ts";
import { createSampler } from "../../functions/observe/sampler.ts";

/** Numbers below 1 that look random, the same in each run. */
function createRandom(): () => number {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** How many of so many evenly spread times in a second are taken, and for how many they stand together. */
function taken(weightOf: (at: number) => number, second: number, count: number) {
  const weights = Array.from({ length: count }, (_, at) =>
    weightOf(second * 1000 + (at * 1000) / count),
  ).filter((weight) => weight > 0);
  return { number: weights.length, sum: weights.reduce((all, weight) => all + weight, 0) };
}

test("all of few are taken, also after a pause", () => {
  const weightOf = createSampler(500, createRandom());
  for (const second of [1, 2, 3, 7])
    expect(taken(weightOf, second, 500)).toEqual({ number: 500, sum: 500 });
  taken(weightOf, 8, 20_000);
  expect(taken(weightOf, 10, 400)).toEqual({ number: 400, sum: 400 });
});

test("of many about as many are taken, and stand for all of them", () => {
  const weightOf = createSampler(500, createRandom());
  // How many the first second has is not known before.
  const first = taken(weightOf, 1, 20_000);
  expect(first.number).toBeLessThan(1500);
  expect(Math.abs(first.sum / 20_000 - 1)).toBeLessThan(0.3);
  for (let second = 2; second < 12; second++) {
    const { number, sum } = taken(weightOf, second, 20_000);
    // Five standard deviations.
    expect(Math.abs(number - 500)).toBeLessThan(112);
    expect(Math.abs(sum / 20_000 - 1)).toBeLessThan(0.23);
  }
});

test("all of few are taken after the clock was set back", () => {
  const weightOf = createSampler(500, createRandom());
  weightOf(3_600_000);
  for (let second = 1; second < 100; second++)
    expect(taken(weightOf, second, 400)).toEqual({ number: 400, sum: 400 });
});

test("what comes in turns is taken alike", () => {
  const weightOf = createSampler(500, createRandom());
  const sums = [0, 0, 0, 0];
  for (let at = 0; at < 200_000; at++) sums[at % 4] = (sums[at % 4] ?? 0) + weightOf(at / 10);
  for (const sum of sums) expect(Math.abs(sum / 50_000 - 1)).toBeLessThan(0.1);
});

test("those that end late do not begin another second", () => {
  const random = createRandom();
  const weightOf = createSampler(500, random);
  let number = 0;
  for (let at = 0; at < 50_000; at++)
    if (weightOf(Math.max(0, at / 5 - random() * 30)) > 0) number += 1;
  expect(number).toBeLessThan(11 * 1100);
});

test("what is summed is a sample, and what is kept of each is not", () => {
  const told = { summed: 0, weights: 0, kept: 0 };
  const summing: Follow = (_version, _asked, _seen, weight) => {
    told.summed += 1;
    told.weights += weight;
  };
  const followOf = createFollows({
    summing: [{ begin: () => summing }],
    others: [{ begin: () => (_version, _asked, _seen, weight) => void (told.kept += weight) }],
  });
  const version = { manifest: {} } as Resolved;
  for (let index = 0; index < 60_000; index++) {
    const at = index / 20;
    const asked = { id: "1", caller: "c", at, key: undefined };
    followOf(version, at)?.(version, asked, { inputs: [], runs: [], answers: [] });
  }
  expect(told.kept).toBe(60_000);
  expect(told.summed).toBeLessThan(300 + 2 * 130);
  expect(Math.abs(told.weights / 60_000 - 1)).toBeLessThan(0.15);
});

test("nothing is kept of a prediction that is not in the sample, where nobody else wants it", () => {
  const summing: Follow[] = [() => undefined];
  const followOf = createFollows({ summing: [{ begin: () => summing[0] }], others: [] });
  const version = { manifest: {} } as Resolved;
  const wanted = Array.from({ length: 10_000 }, (_, index) => followOf(version, index / 10));
  expect(wanted.slice(0, 100).every(Boolean)).toBe(true);
  expect(wanted.filter(Boolean).length).toBeLessThan(300);
});
