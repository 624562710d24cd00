import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createSingleFlight } from "../../functions/model/single-flight.ts";

function flights(patienceMs = 1000) {
  const anchored: Promise<unknown>[] = [];
  const share = createSingleFlight({ waitUntil: (promise) => anchored.push(promise), patienceMs });
  return { share, anchored };
}

test("all who ask meanwhile share one run, and the next one after it runs anew", async () => {
  const { share } = flights();
  let runs = 0;
  const work = async () => {
    await sleep(20);
    return ++runs;
  };
  expect(await Promise.all([share("a", work), share("a", work), share("b", work)])).toEqual([
    1, 1, 2,
  ]);
  expect(await share("a", work)).toBe(3);
});

const failing = () => sleep(10).then(() => Promise.reject(new Error("no")));

test("a failure reaches all who wait, and the next one tries again", async () => {
  const { share, anchored } = flights();
  const settled = await Promise.allSettled([share("a", failing), share("a", failing)]);
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(Promise.all(anchored)).resolves.toBeDefined();
  expect(await share("a", async () => "yes")).toBe("yes");
});

test("many who lose their patience with a run share the next one", async () => {
  const { share } = flights(50);
  void share("a", () => new Promise(() => undefined));
  let runs = 0;
  const work = () => sleep(20).then(() => ++runs);
  expect(await Promise.all(Array.from({ length: 10 }, () => share("a", work)))).toEqual(
    Array.from({ length: 10 }, () => 1),
  );
});

test("a run that never settles costs a waiter its patience, not its answer", async () => {
  const { share } = flights(50);
  void share("a", () => new Promise(() => undefined));
  expect(await share("a", async () => "own")).toBe("own");
  // The abandoned run must not hold up later ones.
  expect(await share("a", async () => "next")).toBe("next");
});
