/**
 * Chooses things by their times in milliseconds: all, while no second has more than `most`. Of more it takes each n-th, by
 * how many the second before had.
 *
 * @example
 * const isInSample = createSampler(500);
 * if (isInSample(Date.now())) count();
 */
export function createSampler(most: number): (at: number) => boolean {
  let second = -1;
  let count = 0;
  let step = 1;
  return (at) => {
    const own = Math.floor(at / 1000);
    if (own !== second) {
      step = own === second + 1 ? Math.max(1, Math.ceil(count / most)) : 1;
      second = own;
      count = 0;
    }
    return count++ % step === 0;
  };
}
