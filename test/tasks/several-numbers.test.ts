import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { openService, RUNTIMES } from "./service.ts";
import { add, CASES, expected, near, type SeveralCase } from "./several-numbers.ts";

let models = "";
beforeAll(async () => {
  vi.spyOn(console, "log").mockReturnValue();
  models = await mkdtemp(join(tmpdir(), "nearcast-several-"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

async function answersOf(one: SeveralCase, runtime: (typeof RUNTIMES)[number]) {
  const service = openService(models, runtime);
  const { status, outputs } = await service.predict(one.name, one.rows);
  expect(status).toBe(200);
  return outputs as Record<string, unknown>[];
}

describe("200 rows are answered as scikit-learn does", () => {
  test.for(CASES)("$name", async (one) => {
    await add(one, models);
    await writeFile(join(models, one.name, "release.json"), JSON.stringify({ stable: "1" }));
    const { manifest } = await openPackage(models, { name: one.name });
    const task = createTasks().of(manifest);
    for (const runtime of inThisFile(RUNTIMES)) {
      const answers = await answersOf(one, runtime);
      expect(answers).toEqual(one.rows.map((_, row) => expected(one, row)));
      const { output } = task.schema(manifest);
      expect(Object.keys(answers[0] ?? {})).toEqual(output["required"]);
      if (!one.metrics) continue;
      const { labels = [] } = one.told;
      const truths = one.rows.map((_, row) =>
        one.truth
          ? Object.fromEntries(labels.map((label, at) => [label, one.truth?.[row]?.[at]]))
          : row >= 150,
      );
      const quality = await task.quality?.(manifest, { k: 1 });
      expect(truths.map((truth) => quality?.problemWith?.(truth))).toEqual(
        truths.map(() => undefined),
      );
      const metrics = quality?.metrics(truths, answers);
      expect(metrics).toMatchObject(
        Object.fromEntries(Object.entries(one.metrics).map(([name, value]) => [name, near(value)])),
      );
    }
  });
});

describe("what does not fit is refused", () => {
  const [forest, two] = ["outlier-forest", "two-targets-forest"].map((name) =>
    CASES.find((one) => one.name === name),
  ) as [SeveralCase, SeveralCase];

  test.each<[string, SeveralCase, SeveralCase["told"], RegExp]>([
    ["two targets without names", two, {}, /several numbers a row need/],
    [
      "a name for one of two",
      two,
      { task: "tabular-regression", labels: ["cost"] },
      /one number a row/,
    ],
    [
      "three names for two",
      two,
      { task: "tabular-regression", labels: ["a", "b", "c"] },
      /one output with 3 numbers/,
    ],
    [
      "two numbers of which none is unusual",
      two,
      { task: "tabular-anomaly-detection" },
      /one number a row/,
    ],
    ["an isolation forest as a classifier", forest, { task: "tabular-classification" }, /labels/],
  ])("%s", async (_about, one, told, message) => {
    await expect(add({ ...one, told }, models, "refused")).rejects.toThrow(message);
  });

  test.each([
    [{ cost: 1 }, "the label has no number delay"],
    [5, "the label has no number cost"],
    ['{"cost": "1.5", "delay": 2}', undefined],
    ["cost", "the label has no number cost"],
  ])("the truth %j of two targets", async (truth, problem) => {
    const { manifest } = await openPackage(models, { name: two.name });
    const quality = await createTasks().of(manifest).quality?.(manifest, { k: 1 });
    expect(quality?.problemWith?.(truth)).toBe(problem);
  });
});
