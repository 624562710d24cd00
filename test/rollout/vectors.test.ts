import { expect, test } from "vitest";
import { assignment } from "../../client/src/index.ts";
import { assign } from "../../functions/model/assignment.ts";
import { parseRelease } from "../../functions/model/release.ts";
import { describeRollout } from "../../functions/rollout/status.ts";
import { assignmentVectors } from "./vectors.ts";

test.each(assignmentVectors())(
  "the service and its client give keys what the recorded vectors have: $release.candidates",
  ({ release, assigned }) => {
    const rollout = JSON.parse(JSON.stringify(describeRollout("m", release, new Map())));
    for (const { key, version, reason, shadows } of assigned) {
      expect(assign(release, key), key).toMatchObject({ version, reason });
      expect(assign(release, key).shadows, key).toEqual(shadows);
      expect(assignment(rollout, key), key).toEqual({ version, reason });
    }
  },
);

const KEYS = 100_000;

/** The keys of 100,000 that get copies. */
function copied(shadow: number, percent: number): Set<number> {
  const candidates = [
    { version: "2", percent },
    { version: "3", shadow },
  ];
  const text = JSON.stringify({ schema: 2, stable: "1", salt: "salt", candidates });
  const release = parseRelease(text);
  const keys = new Set<number>();
  for (let index = 0; index < KEYS; index++)
    if (assign(release, `customer-${index}`).shadows) keys.add(index);
  return keys;
}

test("copies are made for their share of keys within 3 standard deviations, the same when it grows or others answer", () => {
  let before = copied(0, 50);
  expect(before.size).toBe(0);
  for (const shadow of [1, 10, 50]) {
    const now = copied(shadow, 50);
    const expected = (KEYS * shadow) / 100;
    const deviation = Math.sqrt(expected * (1 - shadow / 100));
    expect(Math.abs(now.size - expected), `${shadow} %`).toBeLessThan(3 * deviation);
    for (const key of before) expect(now.has(key)).toBe(true);
    before = now;
  }
  // Only what stable answers is copied.
  const left = copied(100, 80).size;
  expect(Math.abs(left - KEYS * 0.2)).toBeLessThan(3 * Math.sqrt(KEYS * 0.2 * 0.8));
});
