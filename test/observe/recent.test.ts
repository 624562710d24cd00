import { expect, test } from "vitest";
import { createRecent } from "../../functions/observe/recent.ts";

test("what is used stays, whatever else comes, and what is not used goes", () => {
  const recent = createRecent<{ uses: number }>(10);
  const used = ["iris", "1"];
  recent.set(used, { uses: 0 });
  recent.set(["iris", "2"], { uses: 0 });
  for (let index = 0; index < 100; index++) {
    recent.set(["other", String(index)], { uses: -1 });
    const value = recent.get([...used]);
    if (value) value.uses += 1;
  }
  expect(recent.get(["iris", "2"])).toBeUndefined();
  const kept = [...recent.values()].map(({ uses }) => uses);
  expect(kept.filter((uses) => uses === 100)).toHaveLength(1);
  expect(kept.length).toBeLessThanOrEqual(20);
});

test("keys with the same beginning are different, and a new value takes the place of the last one", () => {
  const recent = createRecent<number>(10);
  const keys = [[], ["a"], ["a", "b"], ["a", "b", ""], ["b", "a"]];
  for (const [place, key] of keys.entries()) recent.set(key, place);
  for (let time = 0; time < 2; time++)
    expect(keys.map((key) => recent.get(key))).toEqual([0, 1, 2, 3, 4]);
  recent.set(["a"], 7);
  expect(recent.get(["a"])).toBe(7);
});
