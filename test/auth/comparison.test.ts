import { expect, test } from "vitest";
import { apiKeysSchema } from "../../functions/auth/api-keys.ts";
import { createKeyRing } from "../../functions/auth/key-ring.ts";
import { apiKey, keyList } from "./keys.ts";

const COUNT = 20;
const keys = Array.from({ length: COUNT }, (_, index) => apiKey(`key-${index}`));
const find = createKeyRing(apiKeysSchema.parse(keyList(...keys)));
const right = keys[0]?.entry.sha256 ?? "";

/** A string as long as a digest, in one piece as a digest is. Its first `shared` digits are those of the first key. */
function digest(shared: number): string {
  const rest = right.slice(shared).replaceAll(/./g, (digit) => (digit === "0" ? "1" : "0"));
  return Buffer.from(right.slice(0, shared) + rest).toString();
}

test("a wrong key is refused as fast when it is nearly right", () => {
  const ratios: number[] = [];
  // A busy machine may disturb some of them. A comparison that stops early makes each ratio larger than two.
  while (ratios.length < 10 && !ratios.some(isClose)) ratios.push(nearToFar());
  expect(ratios.filter(isClose), String(ratios)).toHaveLength(1);
});

const isClose = (ratio: number) => ratio > 0.8 && ratio < 1.25;

/** How much longer a nearly right key takes than one that is wrong from the first digit. */
function nearToFar(): number {
  const far = digest(0);
  const near = digest(62);
  const durations = { far: [] as number[], near: [] as number[] };
  for (let round = 0; round < 500; round++) {
    // They take turns, and each is first equally often, so that noise of the machine affects both.
    const order = round % 2 === 0 ? (["far", "near"] as const) : (["near", "far"] as const);
    for (const name of order) durations[name].push(time(name === "far" ? far : near));
  }
  return median(durations.near.slice(100)) / median(durations.far.slice(100));
}

test("a key is compared to the last digit with every entry, whatever matches", () => {
  for (const shared of [0, 31, 62, 64]) {
    let looks = 0;
    const counting = {
      charCodeAt(index: number) {
        looks += 1;
        return digest(shared).charCodeAt(index);
      },
    };
    const found = find(counting as unknown as string);
    expect(found?.name).toBe(shared === 64 ? "key-0" : undefined);
    expect(looks, `${shared} digits shared`).toBe(COUNT * 64);
  }
});

function time(sample: string): number {
  const start = performance.now();
  for (let times = 0; times < 50; times++) find(sample);
  return performance.now() - start;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
