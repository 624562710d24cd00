import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { Resolved } from "../../functions/model/registry.ts";
import { chiSquaredAbove, chiSquaredQuantile } from "../../functions/observe/drift/chi-squared.ts";
import { driftReport } from "../../functions/observe/drift/report.ts";
import { distanceOf } from "../../functions/observe/drift/statistics.ts";
import { createWatch } from "../../functions/observe/drift/watch.ts";
import { driftOf } from "../../functions/observe/drift/window.ts";
import { createMemoryCounters } from "../../functions/observe/memory-counters.ts";
import { createSampler } from "../../functions/observe/sampler.ts";
import { counted, quantities, random, sample, trained } from "./windows.ts";

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

test("few values are not compared, and few values of a bin are not shown, nor can they be computed", () => {
  const manifest = trained(1000);
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

test("what is counted of a busy version is as sure as a sample of its size", async () => {
  const weightOf = createSampler(100, random);
  const sampled = Array.from({ length: 10_000 }, () => ({ rows: 1, weight: weightOf(0) }));
  await isAsSure(() => sampled.filter(({ weight }) => weight > 0));
  // As when a version that was asked little gets batches.
  const single = Array.from({ length: 4000 }, () => ({ rows: 1, weight: 1 }));
  await isAsSure(() => [...single, { rows: 100, weight: 400 }, { rows: 100, weight: 400 }]);
});

/** Counts windows of such calls without a shift. Hardly any of them, or of their quantities, may look shifted. */
async function isAsSure(calls: () => { rows: number; weight: number }[]): Promise<void> {
  const chances: number[] = [];
  let alarms = 0;
  for (let window = 0; window < 40; window++) {
    const manifest = trained(1000);
    const counters = createMemoryCounters(() => undefined);
    const watch = createWatch(counters, (error) => expect.fail(String(error)));
    const compiled = { quantities } as unknown as Resolved["compiled"];
    const follow = watch.begin({ manifest, compiled } as Resolved);
    const asked = { id: "1", caller: "c", at: Date.now(), key: undefined };
    for (const { rows, weight } of calls())
      follow?.(
        {} as Resolved,
        asked,
        { inputs: sample(rows), runs: [], answers: undefined },
        weight,
      );
    const report = await driftOf(counters, manifest, 2);
    if (report?.drifted) alarms += 1;
    for (const { distance } of report?.quantities ?? []) chances.push(distance?.chance ?? 0);
  }
  // Less than one and two are to be expected.
  expect(alarms).toBeLessThan(3);
  expect(chances.filter((chance) => chance < 0.01).length).toBeLessThan(8);
}

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
