/** Flowers of three kinds, made up: the same ones at each run. */

export const FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"] as const;

export interface Flower {
  input: Record<(typeof FEATURES)[number], number>;
  label: string;
}

/** Means of the measurements in centimetres, by label. */
const MEANS = {
  setosa: [5.0, 3.4, 1.5, 0.3],
  versicolor: [5.9, 2.8, 4.2, 1.3],
  virginica: [6.6, 3.0, 5.6, 2.0],
};
const DEVIATIONS = [0.35, 0.3, 0.35, 0.18];

export type Makes = (count: number, options?: { petals?: number }) => Flower[];

/** Makes flowers. With `petals`, all petals are so many times as long and wide: a wet summer. */
export function createMaker(seed: number): Makes {
  const random = createRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const kinds = Object.entries(MEANS);
  return (count, { petals = 1 } = {}) =>
    Array.from({ length: count }, () => {
      const [label, means] = kinds[Math.floor(random() * kinds.length)];
      const values = means.map((mean, at) => {
        const scale = at < 2 ? 1 : petals;
        return Math.round(Math.max(0.1, (mean + normal() * DEVIATIONS[at]) * scale) * 100) / 100;
      });
      const input = Object.fromEntries(FEATURES.map((name, at) => [name, values[at]]));
      return { input: input as Flower["input"], label };
    });
}

/** Flowers as a table, with a column for each feature and `label`. */
export function toCsv(flowers: readonly Flower[]): string {
  const lines = flowers.map(({ input, label }) =>
    [...FEATURES.map((name) => input[name]), label].join(","),
  );
  return [[...FEATURES, "label"].join(","), ...lines, ""].join("\n");
}

/** Mulberry32: numbers from 0 to 1. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
