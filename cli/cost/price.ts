/** A published price of one thing, in US dollars. */
export interface Price {
  /** Dollars for `per` of `unit`. */
  dollars: number;
  per: number;
  unit: string;
  /** What a month has without charge for everyone who pays for the platform. */
  included?: number;
  /** What AWS's and Google's free tiers give each month. Only counted when asked for. */
  free?: number;
  /** From so many on, `per` of them cost this. In rising order. */
  tiers?: readonly { from: number; dollars: number }[];
  /** The bill counts started `per`s. */
  started?: true;
  region: string;
  /** Where the platform publishes it. */
  source: string;
  /** Where and when it was seen. Empty if nobody could look it up. */
  seen: string;
  /** The year of which it is known, where it was not seen. */
  known?: string;
}

/** What `quantity` of it costs in a month. */
export function charge(price: Price, quantity: number, freeTier = false): number {
  const { dollars, per, included = 0, free = 0, tiers = [], started } = price;
  const over = Math.max(0, quantity - included - (freeTier ? free : 0));
  const billed = started ? Math.ceil(over / per) * per : over;
  const steps = [{ from: 0, dollars }, ...tiers];
  return steps.reduce((sum, step, index) => {
    const end = steps[index + 1]?.from ?? Infinity;
    const within = Math.max(0, Math.min(billed, end) - step.from);
    return sum + (within / per) * step.dollars;
  }, 0);
}
