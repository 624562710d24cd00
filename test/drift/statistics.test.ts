import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { chiSquaredAbove, chiSquaredQuantile } from "../../functions/observe/drift/chi-squared.ts";
import { BaselineMaker } from "../../functions/observe/drift/make-baseline.ts";
import { driftReport } from "../../functions/observe/drift/report.ts";
import { distanceOf } from "../../functions/observe/drift/statistics.ts";
import { binner } from "../../functions/observe/drift/bins.ts";
import { fieldOf } from "../../functions/observe/drift/watch.ts";
import type { Quantity } from "../../functions/tasks/define.ts";
import { mulberry32 } from "../../functions/tasks/tensor/seeded.ts";

interface Reference {
  cases: {
    before: number[];
    now: number[];
    evidently: { psi: number; jensenShannonNats: number };
    scipy: { psi: number; jensenShannon: number; threshold: number; chance: number };
  }[];
  chiSquared: { value: number; degrees: number; above: number }[];
  quantiles: { chance: number; degrees: number; value: number }[];
}

const path = join(import.meta.dirname, "../fixtures/drift/reference.json");
const reference = JSON.parse(await readFile(path, "utf8")) as Reference;

test("PSI and Jensen–Shannon are those of Evidently and scipy", () => {
  for (const { before, now, evidently, scipy } of reference.cases) {
    const found = distanceOf({ before, now, isOrdered: true }, 0.01);
    expect(found?.psi).toBeCloseTo(evidently.psi, 9);
    expect(found?.psi).toBeCloseTo(scipy.psi, 9);
    expect(found?.jensenShannon).toBeCloseTo(scipy.jensenShannon, 9);
    // Evidently takes natural logarithms.
    expect((found?.jensenShannon ?? 0) ** 2 * Math.LN2).toBeCloseTo(
      evidently.jensenShannonNats ** 2,
      9,
    );
    expect(found?.psiThreshold).toBeCloseTo(scipy.threshold, 9);
    expect(found?.chance).toBeCloseTo(scipy.chance, 9);
  }
});

test("the chi-squared distribution is scipy's", () => {
  for (const { value, degrees, above } of reference.chiSquared)
    expect(Math.abs(chiSquaredAbove(value, degrees) / above - 1)).toBeLessThan(1e-9);
  for (const { chance, degrees, value } of reference.quantiles)
    expect(chiSquaredQuantile(chance, degrees)).toBeCloseTo(value, 8);
});

const random = mulberry32(7);

function normal(mean = 0): number {
  return mean + Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const FEATURES = ["a", "b", "c", "d"];

const quantities: readonly Quantity[] = [
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

const sample = (rows: number, mean = 0) =>
  Array.from({ length: rows }, () => FEATURES.map((_, column) => normal(column === 2 ? mean : 0)));

function trained(rows: number): Manifest {
  const maker = new BaselineMaker(quantities);
  maker.add({ inputs: sample(rows), runs: [], answers: undefined });
  return { name: "m", version: "1", baseline: maker.finish(rows) } as unknown as Manifest;
}

/** The counts of a window, as the service makes them. */
function counted({ baseline }: Manifest, inputs: unknown[]): Map<string, number> {
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

let manifest = trained(1000);

test("without a shift, at most 1 % of windows of 100 to 10,000 rows raise an alarm", () => {
  let alarms = 0;
  let ruleOfThumb = 0;
  for (let window = 0; window < 1000; window++) {
    if (window % 20 === 0) manifest = trained(1000);
    const rows = Math.round(100 * 100 ** random());
    const report = driftReport(manifest, counted(manifest, sample(rows)), 1);
    if (report?.drifted) alarms += 1;
    if (report?.quantities.some(({ distance }) => (distance?.psi ?? 0) > 0.1)) ruleOfThumb += 1;
  }
  expect(alarms).toBeLessThanOrEqual(10);
  expect(ruleOfThumb).toBeGreaterThan(5 * alarms);
});

test("windows of 100 rows: the rule of 0.1 warns in a third of them, the threshold hardly ever", () => {
  let alarms = 0;
  let warnings = 0;
  for (let window = 0; window < 1000; window++) {
    if (window % 20 === 0) manifest = trained(1000);
    const report = driftReport(manifest, counted(manifest, sample(100)), 1);
    if (report?.drifted) alarms += 1;
    if ((report?.quantities[0]?.distance?.psi ?? 0) > 0.1) warnings += 1;
  }
  expect(alarms).toBeLessThanOrEqual(10);
  expect(warnings).toBeGreaterThan(300);
});

test("a shift of half a standard deviation is found in 500 rows, and only in its feature", () => {
  let found = 0;
  for (let window = 0; window < 100; window++) {
    const report = driftReport(manifest, counted(manifest, sample(500, 0.5)), 1);
    const drifted = report?.quantities.filter((one) => one.drifted) ?? [];
    if (drifted.length === 1 && drifted[0]?.name === "c") found += 1;
    if (window === 0)
      expect(drifted[0]?.summary).toMatch(
        /^c: shifted upward, PSI 0\.\d\d, chance of that without a shift under 1 in 1,000/,
      );
  }
  expect(found).toBeGreaterThanOrEqual(98);
});

test("few values are not compared, and few values of a bin are not shown, nor can they be computed", () => {
  expect(driftReport(manifest, counted(manifest, sample(20)), 1)?.quantities[0]).toMatchObject({
    drifted: false,
    summary: "a: too few values in the window to compare",
  });
  const counts = new Map([
    ["0.0", 3],
    ["0.1", 50],
    ["0.2", 60],
  ]);
  const bins = driftReport(manifest, counts, 1)?.quantities[0]?.bins.map(({ window }) => window);
  // Three values less than all would tell the first bin, so the second one is not shown either.
  expect(bins?.slice(0, 3)).toEqual([null, null, 60 / 113]);
});

test("words for categories, for unknown ones and for missing values", () => {
  expect(summary({ "0.0": 100, "0.1": 300 })).toMatch(/^plan: more "paid" \(20 % → 75 %\), PSI/);
  expect(summary({ "0.0": 300, "0.1": 80, "0.2": 100 })).toMatch(
    /^plan: more values unknown to training \(0\.0 % → 21 %\)/,
  );
  expect(summary({ "0.0": 300, "0.1": 80, "0.3": 100 })).toMatch(
    /^plan: more values missing \(0\.0 % → 21 %\)/,
  );
  expect(summary({ "0.0": 320, "0.1": 80 })).toMatch(/^plan: no shift to speak of/);
});

function summary(fields: Record<string, number>) {
  return driftReport(
    {
      name: "m",
      version: "1",
      baseline: {
        rows: 1000,
        quantities: [
          { name: "plan", of: "input", categories: ["free", "paid"], counts: [800, 200, 0, 0] },
        ],
      },
    } as unknown as Manifest,
    new Map(Object.entries(fields)),
    1,
  )?.quantities[0]?.summary;
}
