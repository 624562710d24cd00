/** After each so many beyond the first `most` of a second, half as many are taken. */
const PARTS = 4;
/** Seconds after which nothing is late. */
const LATEST = 60;

/**
 * Chooses things at random by their times in milliseconds: all, while no second has more than `most`, and about as many of
 * more. The second before tells how many to expect; where it does not, fewer and fewer are taken of what exceeds `most`.
 * Gives for how many one stands: 0 where it is not in the sample.
 *
 * @example
 * const weightOf = createSampler(500);
 * sum += weightOf(Date.now());
 */
export function createSampler(
  most: number,
  random: () => number = Math.random,
): (at: number) => number {
  let second = -1;
  let count = 0;
  let step = 1;
  let left = most;
  return (at) => {
    const own = Math.floor(at / 1000);
    // Things end in another order than they began: a late one belongs to the present second, unless the clock was set back.
    if (own > second || own < second - LATEST) {
      step = own === second + 1 ? Math.max(1, Math.ceil(count / most)) : 1;
      second = own;
      count = 0;
      left = most;
    }
    count += 1;
    if (step > 1 && random() * step >= 1) return 0;
    const weight = step;
    left -= 1;
    if (left === 0) {
      step *= 2;
      left = Math.ceil(most / PARTS);
    }
    return weight;
  };
}
