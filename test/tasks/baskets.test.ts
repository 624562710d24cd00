import { describe, expect, test } from "vitest";
import type { Recommendation } from "../../functions/tasks/recommendation/compile.ts";
import { openService, RUNTIMES } from "./service.ts";

const basket = ["22697", "22699"];

describe.each(RUNTIMES)("baskets on %s", (runtime) => {
  const { predict } = openService("models", runtime);

  test("ten other products, the best first, with their names", async () => {
    const { outputs } = await predict("retail", basket);
    const items = outputs as Recommendation[];
    expect(items.length).toBe(10);
    expect(items[0]).toMatchObject({ id: "22423", name: "REGENCY CAKESTAND 3 TIER" });
    const scores = items.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test("never what is in the basket, however many are asked for", async () => {
    const { outputs } = await predict("retail", basket, { top_k: 100_000 });
    const ids = (outputs as Recommendation[]).map(({ id }) => id);
    expect(ids.length).toBe(498);
    expect(new Set(ids).size).toBe(498);
    for (const id of basket) expect(ids).not.toContain(id);
  });

  test("a basket answers alike alone and among others, with an item twice or once", async () => {
    const { outputs } = await predict("retail", [["85123A"], basket, [...basket, ...basket]]);
    const [, second, third] = outputs as Recommendation[][];
    expect((await predict("retail", basket)).outputs).toEqual(second);
    expect(third).toEqual(second);
  });

  test("so many baskets that they are answered in parts are answered as alone", async () => {
    const kinds = [["85123A"], basket, ["22697"]];
    const alone = await Promise.all(
      kinds.map(async (one) => (await predict("retail", one)).outputs),
    );
    const places = Array.from({ length: 250 }, (_, at) => (at * at) % 3);
    const { outputs } = await predict(
      "retail",
      places.map((place) => kinds[place]),
    );
    expect(outputs).toEqual(places.map((place) => alone[place]));
  });

  test.each([
    [[], undefined, "inputs", "must be an array of at least one item id"],
    [[["22697"], []], undefined, "inputs[1]", "must be an array of at least one item id"],
    ["22697", undefined, "inputs", "must be an array of at least one item id"],
    [{ items: ["22697"] }, undefined, "inputs", "must be an array of at least one item id"],
    [
      ["22697", "nothing"],
      undefined,
      "inputs[1]",
      'names item "nothing", which the catalogue does not have',
    ],
    [
      ["__proto__"],
      undefined,
      "inputs[0]",
      'names item "__proto__", which the catalogue does not have',
    ],
    [[22_697], undefined, "inputs[0]", "must be an item id as a string"],
    [[["22697"], "22699"], undefined, "inputs[1]", "must be an array of at least one item id"],
    [basket, { top_k: 0 }, "parameters.top_k", undefined],
    [basket, { k: 3 }, "parameters", undefined],
  ])("refuses %j with %j", async (inputs, parameters, path, message) => {
    const { status, errors } = await predict("retail", inputs, parameters);
    expect(status).toBe(422);
    expect(errors[0]?.path).toBe(path);
    if (message) expect(errors[0]?.message).toBe(message);
  });
});
