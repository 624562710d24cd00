/**
 * Milliseconds since a time of the wall clock. Infinity when the clock was set back in between: otherwise a
 * short-lived entry could be kept for hours. A monotonic clock does not help: it may stand still while Lambda
 * freezes the process.
 */
export function ageOf(time: number): number {
  const age = Date.now() - time;
  return age < 0 ? Infinity : age;
}
