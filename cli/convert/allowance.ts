import { TOLERANCE } from "./differences.ts";

/** Numbers from here on are judged by their own size alone: masks such as −1e9 would hide all others. */
const LARGE = 1000;
/** Fewer numbers do not show their spread. */
const FEWEST = 8;
/** Of a low spread among all: less is lost in the sums of float32 that an output's numbers come from. */
const LEAST = 0.1;

interface Numbers {
  shape: readonly number[];
  values: readonly number[];
}

/**
 * How far each number of an output may be from the original's, by its value and its indices: `TOLERANCE` of its size or,
 * if that is more, of the spread. That is the standard deviation of the numbers with the same index along an axis, of the
 * axis where it is smallest: boxes of 640 pixels do not widen what probabilities beside them may differ by.
 */
export function allowanceOf(
  answers: readonly Numbers[],
): (value: number, place: readonly number[]) => number {
  const whole = new Spread();
  /** By axis, without the batch's, and index. */
  const axes = (answers[0]?.shape ?? []).slice(1).map(() => new Map<number, Spread>());
  for (const { shape, values } of answers)
    for (const [at, value] of values.entries()) {
      if (!(Math.abs(value) < LARGE)) continue;
      whole.add(value);
      const place = placeOf(at, shape);
      for (const [axis, spreads] of axes.entries()) spreadAt(spreads, place[axis + 1]).add(value);
    }
  const low = Math.min(whole.size, ...axes.map(lowOf));
  return (value, place) => {
    const own = axes.map((spreads, axis) => spreads.get(place[axis + 1] ?? 0));
    const sizes = own.flatMap((one) => (one && one.count >= FEWEST ? [one.size] : []));
    const spread = Math.max(LEAST * low, Math.min(whole.size, ...sizes));
    return TOLERANCE * Math.max(Math.abs(value), spread);
  };
}

/** The indices of an element along each axis. */
export function placeOf(at: number, shape: readonly number[]): number[] {
  const place = [...shape];
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    place[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return place;
}

class Spread {
  count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.count++;
    const from = value - this.#mean;
    this.#mean += from / this.count;
    this.#squares += from * (value - this.#mean);
  }

  /** The standard deviation. */
  get size(): number {
    return Math.sqrt(this.#squares / (this.count || 1));
  }
}

function spreadAt(spreads: Map<number, Spread>, index = 0): Spread {
  const found = spreads.get(index) ?? new Spread();
  spreads.set(index, found);
  return found;
}

/** A tenth are lower. */
function lowOf(spreads: ReadonlyMap<number, Spread>): number {
  const sizes = [...spreads.values()]
    .flatMap(({ count, size }) => (count >= FEWEST ? [size] : []))
    .toSorted((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 10)] ?? Infinity;
}
