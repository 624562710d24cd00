import type { Manifest } from "../../functions/model/manifest.ts";
import { binner } from "../../functions/observe/drift/bins.ts";
import { BaselineMaker } from "../../functions/observe/drift/make-baseline.ts";
import { fieldOf } from "../../functions/observe/drift/watch.ts";
import type { Quantity } from "../../functions/tasks/define.ts";
import { mulberry32 } from "../../functions/tasks/tensor/seeded.ts";

export const random = mulberry32(7);

function normal(mean = 0): number {
  return mean + Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const FEATURES = ["a", "b", "c", "d"];

export const quantities: readonly Quantity[] = [
  ...FEATURES.map((name, column): Quantity => ({
    name,
    of: "input",
    kind: "number",
    each({ inputs = [] }, take) {
      for (const row of inputs as number[][]) take(row[column]);
    },
  })),
  {
    name: "label",
    of: "prediction",
    kind: "category",
    each({ inputs = [] }, take) {
      for (const row of inputs as number[][]) take(String(Math.round(row[0] ?? 0)));
    },
  },
];

export const sample = (rows: number, mean = 0) =>
  Array.from({ length: rows }, () => FEATURES.map((_, column) => normal(column === 2 ? mean : 0)));

export function trained(rows: number): Manifest {
  const maker = new BaselineMaker(quantities);
  maker.add({ inputs: sample(rows), runs: [], answers: undefined });
  return { name: "m", version: "1", baseline: maker.finish(rows) } as unknown as Manifest;
}

/** The counts of a window, as the service makes them. */
export function counted({ baseline }: Manifest, inputs: unknown[]): Map<string, number> {
  const counts = new Map<string, number>();
  baseline?.quantities.forEach((bins, index) => {
    const binOf = binner(bins);
    quantities[index]?.each({ inputs, runs: [], answers: undefined }, (value) => {
      const field = fieldOf(index, binOf(value));
      counts.set(field, (counts.get(field) ?? 0) + 1);
    });
  });
  return counts;
}
