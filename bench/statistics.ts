/** The quantile `q` (0 to 1) of the values. NaN without values. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The values of one measurement, one for each round. */
export type Rounds = number[];

/** `12.3 (11.9–14.0)`: the median, and the lowest and highest round. */
export function summary(rounds: Rounds, digits: number): string {
  const show = (value: number) =>
    value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return `${show(median(rounds))} (${show(Math.min(...rounds))}–${show(Math.max(...rounds))})`;
}

/** The median over rounds of one measurement divided by another of the same round. */
export function ratio(numerator: Rounds, denominator: Rounds): Rounds {
  return numerator.map((value, round) => value / (denominator[round] ?? NaN));
}

/** One measurement minus another of the same round. */
export function difference(left: Rounds, right: Rounds): Rounds {
  return left.map((value, round) => value - (right[round] ?? NaN));
}

/** One measurement and another of the same round together. */
export function sum(left: Rounds, right: Rounds): Rounds {
  return left.map((value, round) => value + (right[round] ?? NaN));
}

/** Measurements by name; each round appends one value to each. */
export interface Record {
  add: (name: string, value: number) => void;
  get: (name: string) => Rounds;
}

export function createRecord(): Record {
  const byName = new Map<string, Rounds>();
  return {
    add(name, value) {
      const rounds = byName.get(name);
      if (rounds) rounds.push(value);
      else byName.set(name, [value]);
    },
    get(name) {
      const rounds = byName.get(name);
      if (!rounds) throw new Error(`Nothing was measured under ${name}`);
      return rounds;
    },
  };
}

/** Student's t for a 95 % interval, by degrees of freedom from 1 on. Beyond the list, the normal distribution's. */
const T_95 = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13,
];

/** The growth of a value from sample to sample, by least squares, and half of its 95 % interval. */
export function trend(values: readonly number[]): { slope: number; margin: number } {
  const count = values.length;
  const middle = (count - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const spread = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  const slope =
    values.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0) / spread;
  const squares = values.reduce(
    (sum, value, index) => sum + (value - mean - slope * (index - middle)) ** 2,
    0,
  );
  const freedom = count - 2;
  return { slope, margin: (T_95[freedom - 1] ?? 1.96) * Math.sqrt(squares / freedom / spread) };
}
