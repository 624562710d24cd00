import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { canConvert, CONVERSION_LIMIT_MS, convertersPython, suiteFolder } from "./converting.ts";
import { freePort } from "../harness/free-port.ts";
import { nearcastProcess, root, temporaryFolder } from "./nearcast.ts";

describe.skipIf(!canConvert)("convert", { timeout: CONVERSION_LIMIT_MS }, () => {
  let files: string;
  let models: string;
  const convert = (file: string, ...flags: string[]) =>
    nearcastProcess(["convert", join(files, file), "--name", "it", "--models", models, ...flags]);
  const written = () => readdir(models).catch(() => []);

  beforeAll(async () => {
    files = await suiteFolder();
    const script = join(root, "test/fixtures/conversions/models.py");
    const names = [
      "churn",
      "mixed-forest",
      "hist",
      "hist-categories",
      "isolation-forest",
      "two-targets",
      "components",
    ];
    await promisify(execFile)(convertersPython, [script, files, ...names]);
  }, CONVERSION_LIMIT_MS);
  beforeEach(async () => {
    models = join(await temporaryFolder(), "models");
  });

  test("a joblib file with its data: features, labels, metrics and examples, and the request that works", async () => {
    const data = join(files, "customers.csv");
    const { code, stdout, stderr } = await convert(
      "churn.joblib",
      "--trust",
      "--data",
      data,
      "--target",
      "churn",
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Compared \d+ inputs \(200 random.*400 of the data\).*on native and WASM/,
    );
    expect(stdout).toContain("May be missing: age, fare, sex, plan.");
    expect(stdout).toContain("curl http://localhost:8787/v1/models/it/predict");
    const local = await openPackage(models, { name: "it" });
    expect(local.manifest).toMatchObject({
      task: "tabular-classification",
      labels: ["leaves", "stays"],
    });
    expect(local.manifest.features).toEqual([
      { name: "age", type: "number", description: "In training from 1 to 79.", missing: "NaN" },
      {
        name: "fare",
        type: "number",
        description: "In training from 1.95 to 162.66.",
        missing: "NaN",
      },
      { name: "sex", type: "string", missing: "female" },
      { name: "plan", type: "string", missing: "max" },
      { name: "visits", type: "integer", description: "In training from 1 to 3." },
    ]);
    const [accuracy] = local.manifest.metrics ?? [];
    expect(accuracy).toMatchObject({ name: "accuracy", dataset: "customers.csv", rows: 400 });
    expect(accuracy?.value).toBeGreaterThan(0.8);
    expect(local.manifest.examples).toHaveLength(5);
    const verified = await nearcastProcess(["verify", "it", "--models", models]);
    expect(verified.code).toBe(0);
  });

  test("the README's three commands make an endpoint of a joblib file, within two minutes", async () => {
    const begun = performance.now();
    const data = ["--data", join(files, "customers.csv"), "--target", "churn"];
    expect((await convert("churn.joblib", "--trust", ...data)).code).toBe(0);
    const released = await nearcastProcess(["release", "it@1", "--store", models]);
    expect(released).toMatchObject({ code: 0, stderr: "" });
    const port = await freePort();
    const dev = nearcastProcess(
      ["dev", "--models", models, "--port", String(port), "--entry", "entries/server.ts"],
      { onStart: (child) => onTestFinished(async () => void (child.kill("SIGTERM"), await dev)) },
    );
    await vi.waitFor(() => fetch(`http://localhost:${port}/health`), {
      timeout: 60_000,
      interval: 100,
    });
    const answer = await fetch(`http://localhost:${port}/v1/models/it/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        inputs: { age: 70, fare: 20, sex: "female", plan: "plus", visits: 1 },
      }),
    });
    expect(await answer.json()).toMatchObject({ model: "it", outputs: { label: "stays" } });
    expect(performance.now() - begun).toBeLessThan(120_000);
  });

  test("a skops file without --trust", async () => {
    const { code, stdout } = await convert("churn.skops");
    expect(code).toBe(0);
    expect(stdout).toContain("of each category");
  });

  test("--bounds refuses what lies beyond the data", async () => {
    await convert("churn.skops", "--data", join(files, "customers.csv"), "--bounds");
    const local = await openPackage(models, { name: "it" });
    expect(local.manifest.features?.[0]).toMatchObject({ minimum: 1, maximum: 79 });
    const predictor = await openPredictor(local, "native");
    const row = { age: 80, fare: 10, sex: "male", plan: "plus", visits: 1 };
    await expect(predictor.predict(row)).rejects.toThrow("at most 79");
  });

  test("a forest behind a scaler answers alike next to its splits: its inputs are float64", async () => {
    const { stdout } = await convert("mixed-forest.skops");
    expect(stdout).toContain("Its inputs are float64");
    const { manifest } = await openPackage(models, { name: "it" });
    expect(manifest.inputs[0]).toMatchObject({ name: "age", datatype: "FP64" });
  });

  test("boosted trees of float64 answer alike at their splits, with names from --features", async () => {
    const { stdout } = await convert("hist.skops", "--features", "age,fare,visits");
    expect(stdout).toMatch(/[1-9]\d\d next to splits/);
    expect(stdout).toContain("Its inputs are float64");
    const { manifest } = await openPackage(models, { name: "it" });
    expect(manifest.features?.map(({ name }) => name)).toEqual(["age", "fare", "visits"]);
  });

  test("an isolation forest says which rows are unusual", async () => {
    const { code, stdout, stderr } = await convert("isolation-forest.joblib", "--trust");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/Compared \d+ inputs .*[1-9]\d* next to splits/);
    const local = await openPackage(models, { name: "it" });
    expect(local.manifest.task).toBe("tabular-anomaly-detection");
    const predictor = await openPredictor(local, "native");
    const far = { feature_1: 1e6, feature_2: -1e6, feature_3: 1e6 };
    expect(await predictor.predict(far)).toEqual({ anomaly: true, score: expect.any(Number) });
  });

  test("a regression of two targets has both, by their names", async () => {
    const { code } = await convert("two-targets.joblib", "--trust", "--labels", "spent,saved");
    expect(code).toBe(0);
    const local = await openPackage(models, { name: "it" });
    const predictor = await openPredictor(local, "native");
    const row = { feature_1: 30, feature_2: 20, feature_3: 1 };
    const { values } = (await predictor.predict(row)) as { values: Record<string, number> };
    expect(Object.keys(values)).toEqual(["spent", "saved"]);
    expect(values["saved"]).toBeCloseTo(-(values["spent"] ?? NaN), 3);
    const other = await convert("two-targets.joblib", "--trust", "--labels", "spent");
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("--labels names 1, but the model predicts 2 numbers a row.");
  });

  test("a PCA answers with its numbers, by its names", async () => {
    const { code, stderr } = await convert("components.skops");
    expect([code, stderr]).toEqual([0, ""]);
    const predictor = await openPredictor(await openPackage(models, { name: "it" }), "native");
    const row = { feature_1: 30, feature_2: 20, feature_3: 1 };
    const { values } = (await predictor.predict(row)) as { values: Record<string, number> };
    // As scikit-learn 1.9.1 has them.
    expect(values).toEqual({
      pca0: expect.closeTo(-0.0226, 4),
      pca1: expect.closeTo(-0.803928, 4),
    });
  });

  test("an ONNX that answers otherwise is refused with rows and differences, and nothing is written", async () => {
    const { code, stderr } = await convert("hist-categories.joblib", "--trust");
    expect(code).toBe(1);
    expect(stderr).toMatch(/answers otherwise than the original for \d+ of \d+ inputs/);
    expect(stderr).toMatch(/\{"feature_1":.*\}: .* is .*, not .* \(native and WASM\)/);
    expect(await written()).toEqual([]);
  });

  test("a file of another scikit-learn is refused, with what to say", async () => {
    const own = await readFile(join(files, "hist.joblib"), "latin1");
    const older = own.replaceAll("1.9.1", "1.7.2");
    expect(older).not.toBe(own);
    await writeFile(join(files, "older.joblib"), older, "latin1");
    const { code, stderr } = await convert("older.joblib", "--trust");
    expect(code).toBe(1);
    expect(stderr).toContain("--with scikit-learn==1.7.2");
    expect(await written()).toEqual([]);
  });
});
