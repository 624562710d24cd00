/** The value below which the share `q` (0 to 1) of the values lies; NaN of no values. */
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

/** What one measurement gave over all rounds. */
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
