import { expect, test } from "vitest";
import { createFollows, type Follow } from "../../functions/follow.ts";
import type { Resolved } from "../../functions/model/registry.ts";
import { createSampler } from "../../functions/observe/sampler.ts";

/** How many of so many evenly spread times in each second are in the sample. */
function taken(isInSample: (at: number) => boolean, second: number, count: number): number {
  let sum = 0;
  for (let at = 0; at < count; at++) if (isInSample(second * 1000 + (at * 1000) / count)) sum += 1;
  return sum;
}

test("all of few are in the sample", () => {
  const isInSample = createSampler(500);
  for (const second of [1, 2, 3, 7]) expect(taken(isInSample, second, 500)).toBe(500);
});

test("of many, each n-th is, all over the second", () => {
  const isInSample = createSampler(500);
  const counts = [20_000, 20_000, 20_000, 600, 600, 600];
  const all = counts.map((count, second) => taken(isInSample, second, count));
  // The first second is not known before, and after a busy one fewer are taken than could be.
  expect(all).toEqual([20_000, 500, 500, 15, 300, 300]);
  const places = [];
  for (let at = 0; at < 600; at++) if (isInSample(6000 + at)) places.push(at);
  expect(places.slice(0, 3)).toEqual([0, 2, 4]);
  expect(places.at(-1)).toBe(598);
});

test("after a pause all are", () => {
  const isInSample = createSampler(500);
  taken(isInSample, 1, 20_000);
  expect(taken(isInSample, 3, 400)).toBe(400);
});

test("what is summed is a sample, and what is kept of each is not", () => {
  const told = { summed: 0, kept: 0 };
  const telling = (name: keyof typeof told) => ({
    begin: (): Follow => () => void (told[name] += 1),
  });
  const follow = createFollows(
    { addSoon: (source) => source(() => undefined) },
    { summing: [telling("summed")], others: [telling("kept")] },
  )({ manifest: {} } as Resolved);
  for (let at = 0; at < 6000; at++) {
    const asked = { id: "1", caller: "c", at: at / 2, key: undefined };
    follow?.({} as Resolved, asked, { inputs: [], runs: [], answers: [] }, 100);
  }
  expect(told).toEqual({ summed: 2000 + 500 + 500, kept: 6000 });
});
