import type { StartTimer } from "../within.ts";

const STEPS = 10;

/**
 * A timer that counts in steps, with a turn of the event loop between two steps. So it does not count time in which
 * this process was too busy to read an answer.
 */
export const startPatience: StartTimer = (milliseconds, onOver) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let left = STEPS;
  const step = (): void => {
    if (left === 0) return onOver();
    left -= 1;
    timer = setTimeout(step, milliseconds / STEPS);
  };
  step();
  return () => clearTimeout(timer);
};
