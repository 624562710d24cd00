/** Requests a month up to which it is looked for. */
const MOST = 1e11;
const STEP = 1.05;

/**
 * The fewest requests a month from which on the first costs more than the second: below it is the cheaper one. Undefined if
 * that never happens, up to a hundred billion. Where the second needs another container, it may become the dearer one
 * again.
 * @param first What the first costs by requests a month, such as functions that are paid by the request.
 * @param second The same of the other, such as a container that is always on.
 */
export function breakEven(
  first: (requests: number) => number,
  second: (requests: number) => number,
): number | undefined {
  const isDearer = (requests: number) => first(requests) > second(requests);
  let low = 0;
  for (let high = 1; high <= MOST; high = Math.ceil(high * STEP)) {
    if (isDearer(high)) return between(low, high, isDearer);
    low = high;
  }
  return undefined;
}

/** `low` is not dearer, `high` is. */
function between(low: number, high: number, isDearer: (requests: number) => boolean): number {
  if (high - low <= 1) return high;
  const middle = Math.floor((low + high) / 2);
  return isDearer(middle) ? between(low, middle, isDearer) : between(middle, high, isDearer);
}
