import { expect, test, vi } from "vitest";
import { releaseVersion, rollbackRelease } from "../../cli/releases.ts";
import { abortTrial, promoteCandidate, startTrial } from "../../cli/rollouts.ts";
import { assign } from "../../functions/model/assignment.ts";
import { percentOf, releaseSchema, type Release } from "../../functions/model/release.ts";
import type { Store } from "../../functions/model/store.ts";
import { LATENCY_BUCKETS } from "../../functions/rollout/evidence.ts";
import { watchModel } from "../../functions/rollout/watch.ts";
import { createRandom, type Random } from "../adversarial/random.ts";

// Whether a version's files are whole is another test's subject.
vi.mock("../../cli/check-answers.ts", () => ({ checkAnswers: () => Promise.resolve() }));

const MODEL = "iris";
const VERSIONS = ["1", "2", "3", "4"];
const KEYS = Array.from({ length: 100 }, (_, index) => `key-${index}`);

/** Releases in memory. Its operations take turns at random. */
function createStore(random: Random) {
  let object: { bytes: Uint8Array; etag: string } | undefined;
  const written: Release[] = [];
  const othersFirst = async () => {
    for (let turns = random.below(6); turns > 0; turns--) await Promise.resolve();
  };
  const store: Store = {
    async get() {
      await othersFirst();
      return object;
    },
    async put(_key, bytes, condition) {
      await othersFirst();
      const known = object?.etag;
      if (condition && "ifMatch" in condition ? known !== condition.ifMatch : known !== undefined)
        return undefined;
      // What is in the file, and not what the writer takes it for.
      written.push(releaseSchema.parse(JSON.parse(new TextDecoder().decode(bytes))));
      object = { bytes, etag: `"${written.length}"` };
      return object.etag;
    },
    head: () => Promise.reject(new Error("Releases are read, and not asked for.")),
    list: () => Promise.resolve([]),
    delete: () => Promise.reject(new Error("Releases stay.")),
  };
  return { store, written };
}

const counted = (requests: number, errors: number) => ({
  requests,
  errors,
  latency: Array.from({ length: LATENCY_BUCKETS }, () => 0),
});

/** One change at random, as a command or a watcher makes it. `why` tells it from all others. */
function change(store: Store, random: Random, why: string): Promise<unknown> {
  const note = { by: "test", why };
  const version = random.pick(VERSIONS);
  const percent = random.pick([0, 1, 5, 25, 50, 100]);
  const steps = { percents: [5, 50, 100], everySeconds: 0.001 };
  const isBad = random.chance(0.3);
  const watched = {
    store,
    log: () => undefined,
    secrets: async () => [],
    post: () => Promise.reject(new Error("no policy names a webhook")),
    by: why,
    evidenceOf: async (_model: string, { segments }: Release["candidates"][number]) =>
      segments.map((segment) => {
        const [candidate, stable] = [counted(500, isBad ? 400 : 0), counted(500, 0)];
        return { segment, counts: { candidate, stable, copies: { compared: 0, disagreed: 0 } } };
      }),
  };
  return random.pick([
    () => releaseVersion(store, MODEL, version, note),
    () => rollbackRelease(store, MODEL, note),
    () => promoteCandidate(store, MODEL, undefined, note),
    () => abortTrial(store, MODEL, undefined, note),
    () => watchModel(watched, MODEL),
    () => startTrial(store, MODEL, version, { share: { shadow: percent }, policy }, note),
    ...[{}, { steps, minRequests: 1 }].map(
      (own) => () =>
        startTrial(
          store,
          MODEL,
          version,
          { share: { percent }, policy: { ...policy, ...own } },
          note,
        ),
    ),
  ])();
}
const policy = { rollback: {}, tolerance: {} };

const shares = (release: Release) =>
  release.candidates.map((one) => [one.version, percentOf(one) ?? 0] as const);

/** What holds of each release that was written after another one. */
function checkNext(before: Release, after: Release): void {
  expect(after).toMatchObject({ schema: 2, revision: before.revision + 1, salt: before.salt });
  const all = shares(after);
  const sum = all.reduce((total, [, percent]) => total + percent, 0);
  expect(sum).toBeLessThanOrEqual(100);
  const named = [after.stable, ...all.map(([version]) => version)];
  expect(new Set(named).size).toBe(named.length);
  // The newest first, and nothing that was before is lost or changed.
  expect(after.history.slice(1)).toEqual(before.history.slice(0, 99));
  const times = after.history.map(({ at = "" }) => at);
  expect(times).toEqual(times.toSorted().toReversed());
  for (const one of after.candidates)
    for (const segment of one.segments) expect(segment.id).toBeLessThanOrEqual(after.revision);

  const grown = all.filter(([version, percent]) => percent > shareOf(before, version));
  for (const key of KEYS) {
    const [then, now] = [assign(before, key), assign(after, key)];
    expect(named).toContain(now.version);
    for (const version of now.shadows ?? []) expect(version).not.toBe(after.stable);
    // Who has a candidate keeps it while its share grows, and nothing else changes.
    if (then.reason === "candidate" && grown.some(([version]) => version === then.version))
      if (before.stable === after.stable && all.filter(([, percent]) => percent > 0).length === 1)
        expect(now.version).toBe(then.version);
    const share = shareOf(after, now.version);
    if (now.reason === "candidate") expect(share).toBeGreaterThan(0);
    if (sum === 100) expect(now.reason).toBe("candidate");
  }
  const [event] = after.history;
  if (event?.change === "aborted" || event?.change === "taken back")
    for (const key of KEYS) {
      const { version, shadows = [] } = assign(after, key);
      expect([version, ...shadows]).not.toContain(event.version);
    }
}

function shareOf(release: Release, version: string): number {
  return shares(release).find(([own]) => own === version)?.[1] ?? 0;
}

test.each([1, 2, 3, 4, 5])("whatever two writers do to a release, it holds (%d)", async (seed) => {
  const random = createRandom(seed, 0);
  const { store, written } = createStore(random);
  await releaseVersion(store, MODEL, "1", { by: "test" });
  const outcomes = { made: 0, refused: 0 };
  for (let round = 0; round < 60; round++) {
    const names = [`${round} one`, `${round} other`];
    const from = written.length;
    const done = await Promise.allSettled(names.map((name) => change(store, random, name)));
    const made = written.slice(from).map(({ history: [event] }) => event);
    // Each change is in the history once, and one that was refused is not.
    for (const [index, { status, reason }] of done
      .map((one) => ({ reason: undefined, ...one }))
      .entries()) {
      const own = made.filter((one) => one?.by === names[index] || one?.why === names[index]);
      expect(own.length, String(reason)).toBeLessThanOrEqual(status === "fulfilled" ? 1 : 0);
      outcomes[status === "fulfilled" ? "made" : "refused"] += 1;
    }
  }
  for (const [index, after] of written.entries()) {
    const before = written[index - 1];
    if (before) checkNext(before, after);
  }
  // The changes are of all kinds, and some met another one.
  expect(written.length).toBeGreaterThan(20);
  expect(outcomes.refused).toBeGreaterThan(5);
});

test("the sequences have growth, aborts, promotions, rollbacks and conflicts", async () => {
  const random = createRandom(1, 0);
  const { store, written } = createStore(random);
  await releaseVersion(store, MODEL, "1", { by: "test" });
  const reasons: string[] = [];
  for (let round = 0; round < 200; round++)
    for (const one of await Promise.allSettled(
      [1, 2].map((which) => change(store, random, `${round} ${which}`)),
    ))
      if (one.status === "rejected") reasons.push(String(one.reason));
  const changes = new Set(written.map(({ history: [event] }) => event?.change));
  for (const kind of [undefined, "promoted", "aborted", "taken back", "50 %", "100 %"])
    expect([...changes]).toContain(kind);
  expect(reasons.some((reason) => reason.includes("at the same time"))).toBe(true);
});
