import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createSpace } from "../../functions/load/space.ts";

const until = (endsAt: number, check = (): void => undefined) => ({ check, endsAt: () => endsAt });
const PATIENT = until(Infinity);

/** Takes a share, and tells whether it has it yet. */
function take(space: ReturnType<typeof createSpace>, bytes: number, deadline = PATIENT) {
  const share = space.of(bytes, deadline);
  const state = { has: false, share, taken: Promise.resolve() };
  state.taken = share.take().then(() => void (state.has = true));
  return state;
}

test("calls take room in the order in which they came, and none overtakes a larger one", async () => {
  const space = createSpace(10);
  const [first, large, small] = [take(space, 6), take(space, 8), take(space, 1)];
  await sleep(50);
  expect([first.has, large.has, small.has]).toEqual([true, false, false]);
  first.share.give();
  await Promise.all([large.taken, small.taken]);
});

test("a call that needs more than there is has all of it, alone", async () => {
  const space = createSpace(10);
  const small = take(space, 1);
  const large = take(space, 100);
  const next = take(space, 1);
  await sleep(50);
  expect([small.has, large.has, next.has]).toEqual([true, false, false]);
  small.share.give();
  await large.taken;
  await sleep(50);
  expect(next.has).toBe(false);
  large.share.give();
  await next.taken;
});

test("a call whose time ends while it waits gets the deadline's error, and keeps nobody out", async () => {
  const space = createSpace(10);
  take(space, 8);
  const late = until(Infinity, () => {
    throw new Error("late");
  });
  const waiting = space.of(5, late);
  await expect(waiting.take()).rejects.toThrow("late");
  waiting.give();
  await take(space, 2).taken;
});

test("what a call that went away holds is free after its time", async () => {
  const space = createSpace(10);
  const gone = take(space, 8, until(performance.now() + 100));
  await gone.taken;
  const next = take(space, 8);
  await sleep(30);
  expect(next.has).toBe(false);
  await next.taken;
  // Late, it gives nothing back a second time.
  gone.share.give();
  const after = take(space, 8);
  await sleep(30);
  expect(after.has).toBe(false);
  next.share.give();
  await after.taken;
});
