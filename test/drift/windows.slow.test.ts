import { expect, test } from "vitest";
import { driftReport } from "../../functions/observe/drift/report.ts";
import { counted, random, sample, trained } from "./windows.ts";

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
