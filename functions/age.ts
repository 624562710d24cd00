/**
 * Milliseconds since a time of the wall clock; infinitely many when the clock was set back meanwhile, so
 * that what is kept for a while is not kept for hours. A monotonic clock would not do: it may stand still
 * while Lambda freezes the process.
 */
export function ageOf(time: number): number {
  const age = Date.now() - time;
  return age < 0 ? Infinity : age;
}
