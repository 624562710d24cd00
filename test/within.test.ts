import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { within } from "../functions/within.ts";

const never = new Promise<never>(() => undefined);
const tooLate = (): never => {
  throw new Error("too late");
};

test("work that is done in time gives its value, or its own failure", async () => {
  expect(await within(Promise.resolve(1), 1000, tooLate)).toBe(1);
  await expect(within(Promise.reject(new Error("failed")), 1000, tooLate)).rejects.toThrow(
    "failed",
  );
});

test("work that takes too long gives what was agreed on", async () => {
  expect(await within(never, 1, () => undefined)).toBeUndefined();
  await expect(within(never, 1, tooLate)).rejects.toThrow("too late");
});

test("a failure that comes too late troubles nobody", async () => {
  const failing = sleep(20).then(() => Promise.reject(new Error("late failure")));
  expect(await within(failing, 1, () => "late")).toBe("late");
  await sleep(40);
});

test("no timer is left over", async () => {
  let running = 0;
  const startTimer = () => {
    running += 1;
    return () => void (running -= 1);
  };
  await within(Promise.resolve(1), 1000, tooLate, startTimer);
  await within(Promise.reject(new Error("failed")), 1000, tooLate, startTimer).catch(
    () => undefined,
  );
  expect(running).toBe(0);
});
