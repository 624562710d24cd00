/** A source of choices that is the same for the same seed. */
export interface Random {
  /** A number from 0 to below 1. */
  next: () => number;
  /** A whole number from 0 to below `end`. */
  below: (end: number) => number;
  pick: <T>(choices: readonly T[]) => T;
  /** Mostly the first: what has everything wrong with it is refused at the first look. */
  mostly: <T>(usual: T, others: readonly T[]) => T;
  /** True with this probability. */
  chance: (probability: number) => boolean;
  bytes: (length: number) => Buffer;
}

/** Choices for one request: the `index`th of a seed (the generator is Mulberry32). */
export function createRandom(seed: number, index: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  const pick = <T>(choices: readonly T[]): T => {
    if (choices.length === 0) throw new Error("There is nothing to pick from.");
    return choices[below(choices.length)] as T;
  };
  return {
    next,
    below,
    pick,
    mostly: (usual, others) => (next() < 0.85 ? usual : pick(others)),
    chance: (probability) => next() < probability,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
