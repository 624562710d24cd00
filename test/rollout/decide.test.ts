import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY, policySchema } from "../../functions/model/release-policy.ts";
import { parseRelease } from "../../functions/model/release.ts";
import { decide, isSettled } from "../../functions/rollout/decide.ts";
import { bucketOf, LATENCY_BUCKETS, type Evidence } from "../../functions/rollout/evidence.ts";
import { createRandom } from "../adversarial/random.ts";

const SINCE = "2026-11-29T06:00:00.000Z";
const SINCE_MS = Date.parse(SINCE);

function releaseOf(percent: number, policy: object = {}) {
  const segments = [{ id: 4, since: SINCE, share: percent / 100 }];
  const candidates = [{ version: "2", percent, segments }];
  const text = { schema: 2, revision: 4, stable: "1", salt: "s", candidates, policy };
  return parseRelease(JSON.stringify(text));
}

/** Latencies: so many answers of each so many milliseconds. */
function counted(requests: number, errors: number, latencies: [ms: number, count: number][] = []) {
  const latency = Array.from({ length: LATENCY_BUCKETS }, () => 0);
  for (const [ms, count] of latencies) latency[bucketOf(ms)] = (latency[bucketOf(ms)] ?? 0) + count;
  return { requests, errors, latency };
}

type Counted = ReturnType<typeof counted>;
const none = { compared: 0, disagreed: 0 };

function evidenceOf(
  share: number,
  candidate: Counted,
  stable: Counted,
  copies = none,
  id = 4,
): Evidence {
  return [{ segment: { id, since: SINCE, share }, counts: { candidate, stable, copies } }];
}

const decided = (
  percent: number,
  candidate: Counted,
  stable: Counted,
  {
    policy = {},
    copies = none,
    after = 0,
  }: { policy?: object; copies?: typeof none; after?: number } = {},
) => {
  const evidence = evidenceOf(percent / 100, candidate, stable, copies);
  return decide(releaseOf(percent, policy), new Map([["2", evidence]]), SINCE_MS + after);
};

describe("taken back", () => {
  test("when it fails more than stable, with the counts in the reason", () => {
    expect(decided(10, counted(200, 40), counted(1800, 0))).toEqual({
      kind: "rollback",
      version: "2",
      reason: "40 of 200 requests failed, and of stable's 0 of 1800",
    });
  });

  test("not when stable fails as much, or more, or alone", () => {
    expect(decided(10, counted(200, 40), counted(1800, 360))).toBe(undefined);
    expect(decided(10, counted(200, 0), counted(1800, 900))).toBe(undefined);
  });

  test("not without counts, with `errors` off, or at 0 % and 100 %, where nothing can be compared", () => {
    expect(decide(releaseOf(10), new Map(), SINCE_MS)).toBe(undefined);
    const off = { policy: { rollback: { errors: false } } };
    expect(decided(10, counted(200, 200), counted(1800, 0), off)).toBe(undefined);
    for (const percent of [0, 100])
      expect(decided(percent, counted(200, 200), counted(0, 0))).toBe(undefined);
  });

  test("not when one caller sends everything, and both fail alike", () => {
    // With 10 % of the keys, and one key, the candidate has all requests or none.
    expect(decided(10, counted(5000, 50), counted(0, 0))).toBe(undefined);
    expect(decided(10, counted(4000, 400), counted(4000, 400))).toBe(undefined);
    expect(decided(10, counted(4000, 800), counted(4000, 10))?.kind).toBe("rollback");
  });

  test("when its slow answers are more than stable's 95th percentile allows", () => {
    const policy = { rollback: { latency: 1.5 } };
    const stable = counted(1000, 0, [
      [10, 960],
      [30, 40],
    ]);
    const slow = counted(100, 0, [
      [10, 70],
      [20, 30],
    ]);
    expect(decided(10, slow, stable)).toBe(undefined);
    expect(decided(10, slow, stable, { policy })).toMatchObject({
      kind: "rollback",
      reason: "30 of its 100 answers took longer than 1.5 times stable's 95th percentile",
    });
    expect(
      decided(
        10,
        counted(1000, 0, [
          [10, 960],
          [30, 40],
        ]),
        stable,
        { policy },
      ),
    ).toBe(undefined);
    expect(decided(10, counted(100, 0, [[12, 100]]), stable, { policy })).toBe(undefined);
    // Too little is known of stable.
    expect(decided(10, slow, counted(100, 0, [[10, 100]]), { policy })).toBe(undefined);
  });

  test("when it answers more copies otherwise than the bound", () => {
    const policy = { rollback: { disagreement: 0.02 } };
    const [candidate, stable] = [counted(0, 0), counted(0, 0)];
    const copies = (compared: number, disagreed: number) =>
      decided(10, candidate, stable, { policy, copies: { compared, disagreed } });
    expect(copies(500, 40)).toMatchObject({
      kind: "rollback",
      reason: "it answered 40 of 500 copied inputs otherwise than stable",
    });
    expect(copies(500, 10)).toBe(undefined);
    expect(copies(500, 0)).toBe(undefined);
  });
});

describe("its share grows", () => {
  const policy = { steps: { percents: [5, 25, 100], everySeconds: 600 }, minRequests: 300 };
  const good = counted(300, 1);
  const stable = counted(5700, 20);

  test("to the next step after the time and the requests", () => {
    expect(decided(5, good, stable, { policy, after: 600_000 })).toEqual({
      kind: "step",
      version: "2",
      percent: 25,
      reason: "after 300 requests at 5 %",
    });
  });

  test.each([
    ["too early", 5, good, 599_999],
    ["too few requests", 5, counted(299, 0), 600_000],
    ["after the last step", 100, good, 600_000],
    ["taken back", 0, good, 600_000],
  ])("not %s", (_, percent, candidate, after) => {
    expect(decided(percent, candidate, stable, { policy, after })).toBe(undefined);
  });

  test("not when it is to be taken back", () => {
    const bad = decided(5, counted(300, 60), stable, { policy, after: 600_000 });
    expect(bad?.kind).toBe("rollback");
  });

  test("by the requests of the present share alone", () => {
    const earlier = evidenceOf(0.01, counted(9000, 0), stable, none, 3);
    const present = evidenceOf(0.05, counted(10, 0), stable);
    const evidence = new Map([["2", [...earlier, ...present]]]);
    expect(decide(releaseOf(5, policy), evidence, SINCE_MS + 600_000)).toBe(undefined);
  });
});

test("evidence of all shares counts together, and a dead watcher loses none of it", () => {
  const [first, second] = [counted(100, 5), counted(100, 5)];
  const stable = counted(900, 5);
  const one = evidenceOf(0.1, first, stable, none, 3);
  expect(decide(releaseOf(10), new Map([["2", one]]), SINCE_MS)).toBe(undefined);
  const both = [...one, ...evidenceOf(0.1, second, stable)];
  expect(decide(releaseOf(10), new Map([["2", both]]), SINCE_MS + 3_600_000)?.kind).toBe(
    "rollback",
  );
});

test("of 1,000 rollouts of good versions that the watcher looks at, at most the stated share is taken back", () => {
  let alarms = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const { next } = createRandom(seed, 1);
    const counts = { candidate: counted(0, 0), stable: counted(0, 0) };
    for (let request = 1; request <= 4000; request++) {
      const own = counts[next() < 0.1 ? "candidate" : "stable"];
      own.requests += 1;
      if (next() < 0.05) own.errors += 1;
      if (request % 100 !== 0) continue;
      const evidence = evidenceOf(0.1, counts.candidate, counts.stable);
      if (!decide(releaseOf10, new Map([["2", evidence]]), SINCE_MS)) continue;
      alarms += 1;
      break;
    }
  }
  expect(alarms).toBeLessThanOrEqual(1000 * DEFAULT_POLICY.rollback.alpha);
});
const releaseOf10 = releaseOf(10);

test.each([
  [100, {}, true],
  [99, {}, false],
  [100, { rollback: { latency: 1.5 } }, false],
])(
  "at %d %% with the policy %j, only the release can change anything: %s",
  (percent, policy, is) => {
    const release = releaseOf(percent, policy);
    expect(release.candidates.map((one) => isSettled(one, release))).toEqual([is]);
  },
);

test("the policy of a file without one has the defaults", () => {
  expect(policySchema.parse({})).toMatchObject({
    minRequests: 500,
    rollback: { alpha: 0.01, errors: true },
  });
});
