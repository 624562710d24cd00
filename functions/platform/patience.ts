const STEPS = 10;

/**
 * Calls `onOver` after so many milliseconds, unless the function that it gives is called before. They are
 * counted in steps, between each of which the event loop turns: time in which this process was too busy to read
 * an answer that may have come long ago is not the other side's.
 */
export function startPatience(milliseconds: number, onOver: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let left = STEPS;
  const step = (): void => {
    if (left === 0) return onOver();
    left -= 1;
    timer = setTimeout(step, milliseconds / STEPS);
  };
  step();
  return () => clearTimeout(timer);
}
